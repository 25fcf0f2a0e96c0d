//! Certificates.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::rig::Rig;
use crate::lab::kubernetes::certificates::{Leaf, authority, leaf};
use crate::lab::kubernetes::tls::knows;

fn client(rig: &Rig, seed: u64, from_ms: u64, until_ms: u64) -> Vec<CertificateDer<'static>> {
    let (name, group) = ("system:admin", "system:masters");
    let wanted = Leaf { name, group, names: Vec::new(), from_ms, until_ms };
    let signed = leaf(seed, &rig.id, &wanted).unwrap();
    vec![CertificateDer::from_pem_slice(signed.certificate.as_bytes()).unwrap()]
}

#[test]
fn only_valid_certificates_of_the_own_authority_are_known() {
    let rig = Rig::new();
    let (cluster, now) = (rig.cluster(), rig.now_ms);
    let (from, until) = (now - 1_000, now + 1_000);
    assert!(knows(cluster, &client(&rig, cluster.seed, from, until), now));
    assert!(!knows(cluster, &client(&rig, cluster.seed, from, until), now + 2_000));
    assert!(!knows(cluster, &client(&rig, cluster.seed + 1, from, until), now));
    assert!(!knows(cluster, &[], now));
    assert_eq!(authority(cluster.seed, &rig.id).unwrap(), cluster.ca);
}
