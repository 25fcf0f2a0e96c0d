//! How an address becomes a socket address.

use std::io;
use std::net::SocketAddr;

use crate::provider::BoxFuture;

/// A way to find where an address is listening.
pub trait Route: Send + Sync {
    /// Where to connect to for `address` (a name or an IP address) and `port`.
    ///
    /// # Errors
    /// The address leads nowhere.
    fn resolve<'a>(&'a self, address: &'a str, port: u16) -> BoxFuture<'a, io::Result<SocketAddr>>;
}

/// The network as it is: IP addresses are taken as they stand, names are asked of the resolver,
/// whose first answer is used.
#[derive(Clone, Copy, Debug, Default)]
pub struct Direct;

impl Route for Direct {
    fn resolve<'a>(&'a self, address: &'a str, port: u16) -> BoxFuture<'a, io::Result<SocketAddr>> {
        Box::pin(async move {
            let mut found = tokio::net::lookup_host((address, port)).await?;
            found
                .next()
                .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address"))
        })
    }
}
