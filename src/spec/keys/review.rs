//! `[[waivers]]`

use super::super::scalar;
use super::{Key, LABEL, Shape, TEXT, optional, required};

pub(super) static WAIVER: &[Key] = &[
    required("rule", LABEL, "The rule's name, as findings print it.").example("\"tls-off\""),
    required("reason", TEXT, "Why the risk is taken; printed beside the finding.")
        .example("\"lab without real data\""),
    required("expires", Shape::Date, "The last day it holds.").example("2027-06-30"),
    optional("address", Shape::Text(&scalar::GLOB), "Only for findings about these addresses.")
        .example("\"vsphere/vm/agent-4\""),
];
