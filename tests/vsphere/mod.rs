//! The vSphere provider against vCenters, over real SOAP on loopback.
//!
//! Most tests are written once for two backends: the lab, and a simulator that nobody here wrote.
//! The second run is for `.ci/conformance`, which builds the simulator.

/// Makes two tests of each function: `against_lab::…` and `against_vcsim::…`.
macro_rules! on_each_backend {
    ($($test:ident,)*) => {
        mod against_lab {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::Backend::Lab).await;
            })*
        }

        mod against_vcsim {
            $(#[tokio::test]
            #[ignore = "needs govmomi's simulator; run by .ci/conformance"]
            async fn $test() {
                super::$test(super::Backend::Vcsim).await;
            })*
        }
    };
}

mod machines;
mod permissions;
mod reading;
mod rig;
mod rules;
mod site;
mod subject;
mod traps;
mod vcsim;
