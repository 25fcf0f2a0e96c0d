//! `[images]`

use std::collections::BTreeMap;

use crate::diag::Place;

use super::{SecretRef, Sp};

/// Where container images come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// The table, or the file's start where there is none.
    pub place: Place,
    /// Registry host to the URL asked in its place.
    pub mirrors: BTreeMap<String, Sp<String>>,
    /// Registry host to login.
    pub credentials: BTreeMap<String, RegistryLogin>,
    /// Image name without tag to what is used in its place: another name, tag or digest.
    pub replace: BTreeMap<String, Sp<String>>,
}

/// A login at a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryLogin {
    /// The user.
    pub username: Sp<SecretRef>,
    /// The password or token.
    pub password: Sp<SecretRef>,
}
