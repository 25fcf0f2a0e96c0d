//! `dead-registry`: the project behind gcr.io/cloud-provider-vsphere was deleted in September
//! 2024 (cloud-provider-vsphere issue 1251, vsphere-csi-driver issue 3053) and k8s.gcr.io is
//! frozen. A machine that has not the image cached never starts the pod. registry.k8s.io has CPI
//! from v1.28.0 and CSI from v3.1.2 on (kubernetes/k8s.io, `registry.k8s.io/images`).

use super::{Facts, Problem, Rule, Version, cluster};
use crate::diag::Place;
use crate::resource::Resource;
use crate::spec::releases::{CPI_FIRST, CSI_FIRST, LIVE, is_dead};
use crate::spec::{Images, Runtime, Sp, Spec};

/// See the file's head.
pub const RULE: Rule = Rule::deny("dead-registry", check);

/// An image, or a folder of images, that the spec asks for.
struct Source<'a> {
    /// What it is, for people.
    what: &'static str,
    /// The key that names it.
    key: &'static str,
    name: &'a Sp<String>,
    /// Every image name that it stands for. Empty where it is a folder of unknown content.
    images: Vec<String>,
    /// The version wanted and the first one that registry.k8s.io has.
    version: Option<(&'a Sp<String>, Version)>,
}

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let sources = sources(facts.spec);
    report.extend(sources.iter().filter_map(|source| source.problem(facts.spec)));
    report.extend(lowered(facts, &sources));
    for (name, image) in &facts.spec.images.replace {
        if is_dead(image) {
            let message = format!("{name} is replaced by {image}, which cannot be pulled");
            report.push(Problem::at(
                &image.place,
                message,
                "name an image in a registry that answers",
            ));
        }
    }
}

/// Images that no key of the spec names: those of manifests.
fn lowered(facts: &Facts<'_>, sources: &[Source<'_>]) -> Vec<Problem> {
    let spec = facts.spec;
    let named = |image: &str| {
        let replaced = spec.images.replace.values().any(|name| image.starts_with(&name.value));
        replaced || sources.iter().any(|source| image.starts_with(&source.name.value))
    };
    let mirrored = |image: &str| {
        let containerd = spec.k3s.runtime.value == Runtime::Containerd;
        containerd && spec.images.mirrors.contains_key(host(image))
    };
    let mut problems = Vec::new();
    for resource in facts.desired.resources.values().filter(|one| is_workload(one)) {
        let tree = resource.attributes.tree();
        for image in cluster::containers(&tree).filter_map(|one| one["image"].as_str()) {
            if is_dead(image) && !named(image) && !mirrored(image) {
                let message = format!("{image} cannot be pulled");
                let help = "name a copy in [images]: `replace` or `mirrors`";
                let problem = Problem::at(&resource.origin, message, help);
                problems.push(problem.about(&resource.address));
            }
        }
    }
    problems
}

fn is_workload(resource: &Resource) -> bool {
    matches!(
        resource.kind.name,
        "kubernetes/Deployment" | "kubernetes/SelfUpgrading" | "kubernetes/DaemonSet"
    )
}

fn sources(spec: &Spec) -> [Source<'_>; 4] {
    let (cpi, csi) = (&spec.cloud_provider, &spec.csi);
    let driver = ["driver", "syncer"].map(|image| format!("{}/{image}", csi.registry));
    let source = |what, key, name, images, version| Source { what, key, name, images, version };
    [
        source(
            "CPI",
            "`image` in [cloud_provider]",
            &cpi.image,
            vec![cpi.image.value.clone()],
            Some((&cpi.version, CPI_FIRST)),
        ),
        source(
            "CSI",
            "`registry` in [csi]",
            &csi.registry,
            driver.into(),
            Some((&csi.version, CSI_FIRST)),
        ),
        source(
            "the sidecars of CSI",
            "`sidecar_registry` in [csi]",
            &csi.sidecar_registry,
            vec![],
            None,
        ),
        source("CHT", "`registry` in [projects]", &spec.project_settings.registry, vec![], None),
    ]
}

impl Source<'_> {
    fn problem(&self, spec: &Spec) -> Option<Problem> {
        let (message, place) = self.message()?;
        (!self.is_covered(spec)).then(|| {
            let help = format!(
                "set {} to a registry that has it, or name a copy in [images]: `replace` or `mirrors`",
                self.key
            );
            Problem::at(place, message, help)
        })
    }

    fn message(&self) -> Option<(String, &Place)> {
        if is_dead(self.name) {
            let message = format!("images of {} cannot be pulled from {}", self.what, self.name);
            return Some((message, &self.name.place));
        }
        let (version, first) = self.version?;
        let lost = Version::parse(version).is_some_and(|version| version < first);
        (lost && host(self.name) == LIVE).then(|| {
            let message = format!("{LIVE} never had images of {} {version}", self.what);
            (message, &version.place)
        })
    }

    /// Whether the spec says where copies are.
    fn is_covered(&self, spec: &Spec) -> bool {
        let Images { mirrors, replace, .. } = &spec.images;
        let replaced = |image: &String| replace.get(image).is_some_and(|image| !is_dead(image));
        let mirrored = spec.k3s.runtime.value == Runtime::Containerd;
        (mirrored && mirrors.contains_key(host(self.name)))
            || (!self.images.is_empty() && self.images.iter().all(replaced))
    }
}

fn host(name: &str) -> &str {
    name.split('/').next().unwrap_or(name)
}
