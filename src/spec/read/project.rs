//! `[projects]` becomes projects.

use std::collections::BTreeMap;

use super::expand::{check_overrides, names, names_are_sound};
use super::settings::project_backup;
use super::view::View;
use crate::diag::Diagnostic;
use crate::resource::{Address, Glob};
use crate::spec::scalar::{parse_cpu, parse_size_mib};
use crate::spec::source::Wrong;
use crate::spec::{
    Component, CouchDb, Credentials, ImageOwner, Milli, Pins, Placement, Project, ProjectBackup,
    Projects, Quota, Resources, Rollout, Sp, Storage, Tls,
};
use crate::spec::{pins, releases};

pub(super) fn projects(
    root: &View<'_>,
    storage: &Storage,
    pins: &Pins,
    found: &mut Vec<Diagnostic>,
) -> (Projects, Vec<Project>) {
    let view = root.section("projects");
    let rollout = view.section("rollout");
    let settings = Projects {
        place: view.place(),
        registry: view.text("registry"),
        rollout: Rollout {
            canary: rollout.texts("canary"),
            wave: rollout.number("wave"),
            failures_max: rollout.number("failures_max"),
        },
    };
    if !root.has("projects") || root.is_broken("projects") {
        return (settings, Vec::new());
    }
    let names = names(&view, "projects", found);
    let overrides = view.tables("overrides");
    if names_are_sound(&view) {
        check_overrides("projects", &overrides, &names, found);
    }
    let shared = Shared {
        all: view,
        backup: root.section("backup").section("projects"),
        defaults: view.section("defaults"),
        storage,
        adopt: root.list("adopt", |text| Ok(Glob::new(text))),
        cht: pins.get(pins::CHT).unwrap_or_else(|| releases::CHT.to_owned()),
    };
    let projects = names.into_iter().enumerate().map(|(index, name)| {
        let own = overrides.iter().find(|(key, _)| key.value == name.value);
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        shared.project(name, number, own.map(|(_, view)| *view), found)
    });
    let projects = projects.collect();
    (settings, projects)
}

/// What all projects are made of.
struct Shared<'a> {
    all: View<'a>,
    backup: View<'a>,
    defaults: View<'a>,
    storage: &'a Storage,
    /// What the whole spec adopts.
    adopt: Vec<Sp<Glob>>,
    /// The release of projects that name none.
    cht: String,
}

impl Shared<'_> {
    fn project(
        &self,
        name: Sp<String>,
        number: u32,
        own: Option<View<'_>>,
        found: &mut Vec<Diagnostic>,
    ) -> Project {
        let layers = Layers(own.into_iter().chain([self.defaults]).collect());
        let (adopted, asked) = self.adoption(&name, own);
        let cht = layers.text("cht").unwrap_or_else(|| self.all.filler(self.cht.clone()));
        let owner = layers.first(|view| view.choice_opt("image_owner", image_owner));
        let placement = asked.first(|view| view.choice_opt("placement", placement));
        Project {
            place: own.map_or_else(|| name.place.clone(), |view| view.place()),
            number,
            adopted,
            namespace: self.namespace(&name, own),
            host: self.host(&name, own, found),
            image_owner: owner.unwrap_or_else(|| cht.clone().map(|cht| usual_owner(&cht))),
            cht,
            couchdb: self.couchdb(&layers.below("couchdb")),
            placement: placement.unwrap_or_else(|| self.all.filler(Placement::Together)),
            agents: asked
                .first(|view| view.has("agents").then(|| view.texts("agents")))
                .unwrap_or_default(),
            tls: layers.first(|view| view.section_opt("tls")).and_then(|view| tls(&view, found)),
            log_level: layers
                .text("log_level")
                .unwrap_or_else(|| self.all.filler("info".to_owned())),
            resources: resources(&asked.below("resources")),
            quota: asked.first(|view| view.section_opt("quota")).map(|view| quota(&view)),
            probes: asked.first(|view| view.bool_opt("probes")),
            network_policy: asked.first(|view| view.bool_opt("network_policy")),
            credentials: self.credentials(&layers.below("credentials")),
            backup: self.backup(&layers.below("backup")),
            name,
        }
    }

    /// Whether a project is adopted, and the tables that say what boma adds to it: those that
    /// were written for adopted projects, where it is one.
    fn adoption<'a>(&'a self, name: &str, own: Option<View<'a>>) -> (bool, Layers<'a>) {
        let says = |view: &View<'_>| view.bool_opt("adopt").map(|adopt| adopt.value);
        let (own_word, common_word) = (own.as_ref().and_then(says), says(&self.defaults));
        let address = Address::of(&format!("project/{name}/Deployment"), "cht-api");
        let covered = || self.adopt.iter().any(|glob| glob.matches(&address));
        let adopted = own_word.or(common_word).unwrap_or_else(covered);
        let by_defaults = own_word.is_none() && common_word.is_some();
        let common = (!adopted || by_defaults).then_some(self.defaults);
        (adopted, Layers(own.into_iter().chain(common).collect()))
    }

    fn namespace(&self, name: &Sp<String>, own: Option<View<'_>>) -> Sp<String> {
        let prefix = self.all.text("namespace_prefix");
        own.and_then(|view| view.text_opt("namespace"))
            .unwrap_or_else(|| prefix.map(|prefix| format!("{prefix}{}", name.value)))
    }

    fn host(
        &self,
        name: &Sp<String>,
        own: Option<View<'_>>,
        found: &mut Vec<Diagnostic>,
    ) -> Sp<String> {
        if let Some(host) = own.and_then(|view| view.text_opt("host")) {
            return host.map(|host| host.to_ascii_lowercase());
        }
        match self.all.text_opt("domain") {
            Some(domain) if domain.is_empty() => domain,
            Some(domain) => domain.map(|domain| format!("{}.{domain}", name.value)),
            None => {
                let wrong = Wrong::new(
                    "[projects] needs `domain`",
                    "missing here",
                    "add: domain = \"cht.example.org\", or give every project a host",
                );
                found.push(wrong.error(&self.all.place()));
                self.all.filler(String::new())
            }
        }
    }

    fn couchdb(&self, layers: &Layers<'_>) -> CouchDb {
        let storage = layers.size("storage");
        CouchDb {
            nodes: layers
                .first(|view| view.number_opt("nodes"))
                .unwrap_or_else(|| self.all.filler(1)),
            storage_mib: storage.unwrap_or_else(|| self.all.filler(50 * 1024)),
            storage_class: layers
                .text("storage_class")
                .unwrap_or_else(|| self.storage.class.clone()),
            volumes: layers
                .first(|view| view.has("volumes").then(|| view.texts("volumes")))
                .unwrap_or_default(),
            host_path: layers.text("host_path"),
        }
    }

    fn credentials(&self, layers: &Layers<'_>) -> Credentials {
        let secret = |name: &str| layers.first(|view| view.secret_opt(name));
        Credentials {
            user: layers.text("user").unwrap_or_else(|| self.all.filler("medic".to_owned())),
            password: secret("password"),
            secret: secret("secret"),
            uuid: secret("uuid"),
        }
    }

    /// Keys that the project leaves out are those of `[backup.projects]`.
    fn backup(&self, layers: &Layers<'_>) -> Option<ProjectBackup> {
        layers.0.first()?;
        let written = |name: &str| layers.first(|view| view.has(name).then_some(*view));
        let common = project_backup(&self.backup);
        Some(ProjectBackup {
            schedule: written("schedule").map_or(common.schedule, |view| view.text("schedule")),
            keep: written("keep").map_or(common.keep, |view| view.number("keep")),
        })
    }
}

/// Tables that say the same things, the most specific one first.
struct Layers<'a>(Vec<View<'a>>);

impl<'a> Layers<'a> {
    fn first<T>(&self, read: impl Fn(&View<'a>) -> Option<T>) -> Option<T> {
        self.0.iter().find_map(read)
    }

    fn text(&self, name: &str) -> Option<Sp<String>> {
        self.first(|view| view.text_opt(name))
    }

    /// MiB.
    fn size(&self, name: &str) -> Option<Sp<u64>> {
        self.first(|view| view.parsed_opt(name, parse_size_mib, 1))
    }

    fn cpu(&self, name: &str) -> Option<Sp<Milli>> {
        let parse = |text: &str| parse_cpu(text).map(Milli);
        self.first(|view| view.parsed_opt(name, parse, Milli(1)))
    }

    fn below(&self, name: &str) -> Layers<'a> {
        Layers(self.0.iter().filter_map(|view| view.section_opt(name)).collect())
    }
}

fn resources(layers: &Layers<'_>) -> BTreeMap<Component, Resources> {
    const COMPONENTS: [(&str, Component); 7] = [
        ("api", Component::Api),
        ("sentinel", Component::Sentinel),
        ("couchdb", Component::CouchDb),
        ("haproxy", Component::Haproxy),
        ("healthcheck", Component::Healthcheck),
        ("nouveau", Component::Nouveau),
        ("upgrade_service", Component::UpgradeService),
    ];
    let read = |(name, component): (&str, Component)| {
        let layers = layers.below(name);
        layers.0.first()?;
        let resources = Resources {
            cpu: layers.cpu("cpu"),
            memory_mib: layers.size("memory"),
            cpu_request: layers.cpu("cpu_request"),
            memory_request_mib: layers.size("memory_request"),
        };
        Some((component, resources))
    };
    COMPONENTS.into_iter().filter_map(read).collect()
}

fn quota(view: &View<'_>) -> Quota {
    Quota {
        place: view.place(),
        cpu: view.parsed("cpu", |text| parse_cpu(text).map(Milli), Milli(u64::MAX)),
        memory_mib: view.parsed("memory", parse_size_mib, u64::MAX),
    }
}

fn tls(view: &View<'_>, found: &mut Vec<Diagnostic>) -> Option<Sp<Tls>> {
    match (view.text_opt("secret"), view.text_opt("issuer")) {
        (Some(secret), None) => Some(secret.map(Tls::Secret)),
        (None, Some(issuer)) => Some(issuer.map(Tls::Issuer)),
        _ => {
            let wrong = Wrong::new(
                "`tls` needs either `secret` or `issuer`",
                "one of the two",
                "write tls = { secret = \"name\" } or tls = { issuer = \"name\" }",
            );
            found.push(wrong.error(&view.place()));
            None
        }
    }
}

fn usual_owner(cht: &str) -> ImageOwner {
    match cht.starts_with("4.") {
        true => ImageOwner::UpgradeService,
        false => ImageOwner::Boma,
    }
}

fn image_owner(word: &str) -> ImageOwner {
    match word {
        "upgrade-service" => ImageOwner::UpgradeService,
        _ => ImageOwner::Boma,
    }
}

fn placement(word: &str) -> Placement {
    match word {
        "spread" => Placement::Spread,
        _ => Placement::Together,
    }
}
