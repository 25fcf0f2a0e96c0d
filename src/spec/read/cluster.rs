//! `[cloud_provider]`, `[csi]`, `[storage]`, `[snapshots]` and `[traefik]`

use std::collections::BTreeMap;

use super::settings::seconds;
use super::view::View;
use crate::diag::Diagnostic;
use crate::spec::pins;
use crate::spec::releases::{self, Version};
use crate::spec::scalar::parse_cidr;
use crate::spec::source::Wrong;
use crate::spec::{
    CloudProvider, Csi, CsiDigests, DeletionPolicy, Entry, FileSystem, Images, LocalPath, Manifest,
    Pins, Snapshots, Sp, Storage, Traefik, VolumeBinding,
};

pub(super) fn cloud_provider(
    view: &View<'_>,
    k3s: &str,
    pins: &Pins,
    found: &mut Vec<Diagnostic>,
) -> CloudProvider {
    let (region, zone) = (view.text_opt("region"), view.text_opt("zone"));
    if let (Some(one), None) | (None, Some(one)) = (&region, &zone) {
        let wrong = Wrong::new(
            "[cloud_provider] has one of `region` and `zone` without the other",
            "the other one is missing",
            "write both tag categories or neither",
        );
        found.push(wrong.error(&one.place));
    }
    CloudProvider {
        place: view.place(),
        version: view.text_opt("version").unwrap_or_else(|| {
            let pin = pins.with_k3s(pins::CPI, k3s);
            view.filler(pin.unwrap_or_else(|| releases::cpi(k3s)))
        }),
        image: view.text("image"),
        manifest: manifest(view),
        password_in_config_map: view.bool("password_in_config_map"),
        skip_node_deletion: view.bool("skip_node_deletion"),
        region,
        zone,
    }
}

pub(super) fn csi(
    view: &View<'_>,
    name: &Sp<String>,
    k3s: &str,
    images: &Images,
    pins: &Pins,
    found: &mut Vec<Diagnostic>,
) -> Csi {
    let version = view.text_opt("version").unwrap_or_else(|| {
        let pin = pins.with_k3s(pins::CSI, k3s);
        view.filler(pin.unwrap_or_else(|| releases::csi(k3s).to_owned()))
    });
    let manifest = manifest(view);
    let own = manifest.is_none();
    Csi {
        place: view.place(),
        cluster_id: cluster_id(view, name, found),
        replicas: view.number_opt("replicas"),
        registry: view.text("registry"),
        sidecar_registry: view.text("sidecar_registry"),
        sidecars: sidecars(view, &version, own.then_some(pins)),
        digests: digests(view, &version, images, own.then_some(pins)),
        manifest,
        version,
        high_density: view.bool("high_density"),
        snapshots_per_volume: view.number("snapshots_per_volume"),
    }
}

/// What is written, and for all other sidecars of boma's own rendering the pin, or the tag
/// that goes with the driver. An upstream manifest brings its own.
fn sidecars(view: &View<'_>, csi: &str, pins: Option<&Pins>) -> BTreeMap<String, Sp<String>> {
    let mut sidecars = view.text_map("sidecars");
    let Some((pins, version)) = pins.zip(Version::parse(csi)) else { return sidecars };
    for (name, tag) in releases::sidecars(version) {
        sidecars.entry((*name).to_owned()).or_insert_with(|| {
            let pin = pins.sidecar(name, csi);
            view.filler(pin.unwrap_or_else(|| (*tag).to_owned()))
        });
    }
    sidecars
}

/// What is written, and for boma's own rendering the pins, or what is on record of images in
/// the registry where the driver is published. Copies elsewhere may have others.
fn digests(view: &View<'_>, csi: &str, images: &Images, pins: Option<&Pins>) -> CsiDigests {
    let written = view.section("digests");
    let registry = view.text("registry");
    let copied = images.replace.keys().any(|image| image.starts_with(registry.as_str()));
    let pins = pins.filter(|_| !view.has("registry") && !copied);
    let known = pins.and_then(|_| releases::csi_digests(csi));
    let digest = |name: &str, key: &str, known: Option<&str>| {
        written.text_opt(name).or_else(|| {
            let pin = pins?.with_csi(key, csi);
            Some(view.filler(pin.or_else(|| known.map(str::to_owned))?))
        })
    };
    CsiDigests {
        driver: digest("driver", pins::DRIVER, known.map(|known| known.driver)),
        syncer: digest("syncer", pins::SYNCER, known.map(|known| known.syncer)),
    }
}

/// The driver stops where both the Secret and its own ConfigMap hold an id, so keeping a
/// generated one means to write none.
fn cluster_id(
    view: &View<'_>,
    name: &Sp<String>,
    found: &mut Vec<Diagnostic>,
) -> Option<Sp<String>> {
    let written = view.text_opt("cluster_id");
    if !view.bool("keep_generated_id").value {
        return written.or_else(|| Some(name.clone()));
    }
    if let Some(written) = written {
        let wrong = Wrong::new(
            "[csi] has both `cluster_id` and `keep_generated_id`",
            "a second id",
            "leave cluster_id out: the driver stops where it finds both",
        );
        found.push(wrong.error(&written.place));
    }
    None
}

pub(super) fn storage(view: &View<'_>) -> Storage {
    Storage {
        place: view.place(),
        class: view.text("class"),
        policy: view.text_opt("policy"),
        datastore_url: view.text_opt("datastore_url"),
        file_system: view.choice("file_system", |word| match word {
            "xfs" => FileSystem::Xfs,
            _ => FileSystem::Ext4,
        }),
        reclaim: deletion(view, "reclaim"),
        expansion: view.bool("expansion"),
        default: view.bool("default"),
        binding: view.choice("binding", |word| match word {
            "WaitForFirstConsumer" => VolumeBinding::WaitForFirstConsumer,
            _ => VolumeBinding::Immediate,
        }),
        local_path: view.choice("local_path", |word| match word {
            "default" => LocalPath::Default,
            "not-default" => LocalPath::NotDefault,
            _ => LocalPath::Disabled,
        }),
    }
}

pub(super) fn snapshots(view: &View<'_>, csi: &str, class: &Sp<String>, pins: &Pins) -> Snapshots {
    Snapshots {
        place: view.place(),
        enabled: view.bool("enabled"),
        version: view.text_opt("version").unwrap_or_else(|| {
            let pin = pins.with_csi(pins::SNAPSHOTS, csi);
            view.filler(pin.unwrap_or_else(|| releases::snapshots(csi).to_owned()))
        }),
        class: view.text_opt("class").unwrap_or_else(|| class.clone()),
        deletion: deletion(view, "deletion"),
    }
}

pub(super) fn traefik(view: &View<'_>) -> Traefik {
    Traefik {
        place: view.place(),
        read_timeout: seconds(view, "read_timeout"),
        write_timeout: seconds(view, "write_timeout"),
        idle_timeout: seconds(view, "idle_timeout"),
        client_address: view.bool("client_address"),
        trusted_proxies: view.list("trusted_proxies", parse_cidr),
        entry: view.choice("entry", |word| match word {
            "servers" => Entry::Servers,
            "agents" => Entry::Agents,
            _ => Entry::All,
        }),
    }
}

fn manifest(view: &View<'_>) -> Option<Manifest> {
    view.section_opt("manifest")
        .map(|manifest| Manifest { from: manifest.text("from"), sha256: manifest.text("sha256") })
}

fn deletion(view: &View<'_>, name: &str) -> Sp<DeletionPolicy> {
    view.choice(name, |word| match word {
        "Delete" => DeletionPolicy::Delete,
        _ => DeletionPolicy::Retain,
    })
}
