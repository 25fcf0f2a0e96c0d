//! What tells whether a pod is ready. Nothing here ever restarts one.
//!
//! There is no liveness probe and no startup probe, on purpose. CouchDB builds indexes for hours
//! after an upgrade, api migrates and indexes before it serves, and both may answer late or not at
//! all meanwhile: a probe that restarts them would begin the work anew, for ever. A process that
//! ends is started again by kubelet anyway, and what hangs without ending is for a person to see.
//!
//! Readiness is a connection to the port and no request. CouchDB's `_up` and api's pages want a
//! password or wait for the database; a connection is taken by the kernel of a listening process
//! however busy that is. Sentinel listens to nothing. The healthcheck asks every node of CouchDB
//! at each connection, so no probe adds to that.

use serde_json::{Value as Json, json};

use crate::spec::Component;

/// The readiness probe of a container. `None` where a connection would say nothing, or do harm.
pub fn readiness(component: Component, port: Option<u16>) -> Option<Json> {
    let port = port.filter(|_| component != Component::Healthcheck)?;
    // A minute of silence, asked often enough that a start is seen soon.
    Some(json!({
        "tcpSocket": { "port": port },
        "periodSeconds": 5,
        "timeoutSeconds": 5,
        "failureThreshold": 12,
    }))
}
