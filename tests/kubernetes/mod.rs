//! The Kubernetes provider against API servers.
//!
//! The real one (etcd, API server, controller manager and scheduler with stand-in nodes) runs where
//! `BOMA_KUBERNETES` names the folder of its programs; `.ci/conformance` builds them. One serves
//! all tests of a run; each has a namespace of its own. The same tests hold the lab to what the
//! real one does, each with a lab of its own.

/// Makes a test of each function on the lab and on the real one: `against_lab::…` and
/// `against_kubernetes::…`. Those after a semicolon need what only the real one has.
macro_rules! on_each_backend {
    ($($test:ident,)* $(; $($real:ident,)*)?) => {
        mod against_kubernetes {
            $(#[tokio::test]
            #[ignore = "needs a control plane; run by .ci/conformance"]
            async fn $test() {
                super::$test(super::Backend::Real).await;
            })*
            $($(#[tokio::test]
            #[ignore = "needs a control plane; run by .ci/conformance"]
            async fn $real() {
                super::$real(super::Backend::Real).await;
            })*)?
        }

        mod against_lab {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::Backend::Lab).await;
            })*
        }
    };
}

mod audit;
mod authority;
mod charts;
pub mod client;
mod commands;
mod compare;
mod conflicts;
mod cpi_differences;
mod deletion;
mod fixed_fields;
mod gaps;
mod kubelet;
mod lab_plane;
mod manifest;
mod manifests;
mod nodes;
mod objects;
mod plane;
mod processes;
mod projects;
mod renderings;
mod rig;
mod site;
mod standing;
mod subject;
mod upstream;
mod upstream_accepted;
mod upstream_adoption;
mod upstream_lab;
mod upstream_planned;
mod upstream_projects;
mod waiting;
