//! `vsphere/site`: what a spec supposes to stand in vCenter already.

use crate::resource::{Condition, Field, Identity, Kind, KindFacts, Layer, Lifecycle};

/// Looked at for the rules `site` and `privileges`, and never written.
///
/// Its place says what to look for: `datacenter`: path; `objects`: list of `what`, `name`;
/// `templates`: names; `needs`: list of `kind`, `operation`, `field` (may be null), `path`,
/// `privilege`, and `address` where it is for that resource alone: what boma's account must be
/// allowed where; `policy`: a storage policy's name, absent where none is named.
///
/// All volatile: `objects`: list of `what`, `name`, `path`, `moref`: the datacenter and the objects
/// that are there; `missing`: list of `what`, `name`, `reason`; `templates`: by name `template`,
/// `tools` (VMware Tools were seen in it), `vapp_properties` (their ids), `hardware_version`,
/// `disk_gib`; `free_gib`: by datastore; `unmounted`: names of the clusters' hosts without it, by
/// datastore; `datastore_urls`: by path; `lacking`: the needs that are not met;
/// `policies`: names of all storage policies; null where none is named, a text where they could not
/// be read.
pub const SITE: Kind = Kind::new(&KindFacts {
    name: "vsphere/site",
    layer: Layer::Vcenter,
    fields: &[
        Field::volatile("objects"),
        Field::volatile("missing"),
        Field::volatile("templates"),
        Field::volatile("free_gib"),
        Field::volatile("unmounted"),
        Field::volatile("datastore_urls"),
        Field::volatile("lacking"),
        Field::volatile("policies"),
    ],
    holds_data: false,
    identity: Identity::NaturalKey,
    lifecycle: Lifecycle::Observed,
    freed_first: false,
    ready: Condition::Exists,
    deletable: Condition::Exists,
    deadline_s: 60,
    weight_s: 1,
});
