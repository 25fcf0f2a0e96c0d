//! The objects of a CHT project, in short, in the order in which they are applied.

use serde_json::{Value as Json, json};

use super::rig::encoded;

/// One project as it is asked for.
#[derive(Clone)]
pub struct Project {
    pub namespace: String,
    pub nodes: usize,
    pub release: String,
    /// Empty for local volumes.
    pub class: String,
    pub password: String,
}

/// A way below the API's root, and the object.
pub type Manifest = (String, Json);

impl Project {
    pub fn new(namespace: &str) -> Self {
        let text = str::to_owned;
        Self {
            namespace: text(namespace),
            nodes: 3,
            release: text("4.22.0"),
            class: text("vmware"),
            password: text("p@ss"),
        }
    }

    pub fn host(&self, name: &str) -> String {
        format!("{name}.{}.svc.cluster.local", self.namespace)
    }

    /// Everything, each after what it needs.
    pub fn manifests(&self) -> Vec<Manifest> {
        let mut all = vec![
            ("/api/v1/namespaces".to_owned(), json!({"metadata": {"name": self.namespace}})),
            self.credentials(),
            self.core("configmaps", "couchdb-servers-configmap", json!({"data": self.servers()})),
        ];
        all.extend((1..=self.nodes).map(|number| self.claim(number)));
        let services = [("haproxy", 5984), ("healthcheck", 5555), ("api", 5988)];
        let couches: Vec<String> =
            (1..=self.nodes).map(|number| format!("couchdb-{number}")).collect();
        all.extend(couches.iter().map(|name| self.service(name, 5984)));
        all.extend(services.map(|(name, port)| self.service(name, port)));
        all.extend((1..=self.nodes).map(|number| self.couchdb(number)));
        for (name, service, env) in [
            ("haproxy-healthcheck", "healthcheck", json!({})),
            ("haproxy", "haproxy", json!({"HEALTHCHECK_ADDR": self.host("healthcheck")})),
            ("api", "api", json!({"API_PORT": "5988"})),
            ("sentinel", "sentinel", json!({"API_HOST": self.host("api"), "API_PORT": "5988"})),
        ] {
            all.push(self.deployment(&format!("cht-{name}"), service, name, env, &json!({})));
        }
        all
    }

    pub fn credentials(&self) -> Manifest {
        let password = self.password.replace('@', "%40");
        let url = format!("http://medic:{password}@{}:5984/medic", self.host("haproxy"));
        let data = json!({
            "COUCHDB_USER": encoded("medic"), "COUCHDB_PASSWORD": encoded(&self.password),
            "COUCHDB_SECRET": encoded("s"), "COUCHDB_UUID": encoded("u"), "COUCH_URL": encoded(&url),
        });
        self.core("secrets", "cht-couchdb-credentials", json!({"data": data}))
    }

    fn servers(&self) -> Json {
        let host = |number: usize| self.host(&format!("couchdb-{number}"));
        let all: Vec<String> = (1..=self.nodes).map(host).collect();
        json!({
            "COUCHDB_SERVERS": all.join(","), "COUCHDB_SYNC_ADMINS_NODE": all[0],
            "CLUSTER_PEER_IPS": all[1..].join(","),
        })
    }

    pub fn claim(&self, number: usize) -> Manifest {
        let spec = json!({
            "accessModes": ["ReadWriteOnce"], "storageClassName": self.class,
            "resources": {"requests": {"storage": "50Gi"}},
        });
        let name = format!("couchdb-{number}-claim0");
        self.core("persistentvolumeclaims", &name, json!({"spec": spec}))
    }

    pub fn service(&self, name: &str, port: u16) -> Manifest {
        let spec = json!({"selector": {"cht.service": name}, "ports": [{"port": port}]});
        self.core("services", name, json!({"spec": spec}))
    }

    pub fn couchdb(&self, number: usize) -> Manifest {
        let name = format!("cht-couchdb-{number}");
        let service = format!("couchdb-{number}");
        let mut env = json!({
            "SVC_NAME": self.host(&service), "NODE_COUNT": self.nodes.to_string(),
        });
        let told = if number == 1 { "CLUSTER_PEER_IPS" } else { "COUCHDB_SYNC_ADMINS_NODE" };
        env[told] = self.servers()[told].clone();
        let volume = json!({
            "volumeMounts": [{"name": "data", "mountPath": "/opt/couchdb/data", "subPath": "data"}],
            "volumes": [{
                "name": "data",
                "persistentVolumeClaim": {"claimName": format!("couchdb-{number}-claim0")},
            }],
        });
        self.deployment(&name, &service, "couchdb", env, &volume)
    }

    pub fn deployment(
        &self,
        name: &str,
        service: &str,
        image: &str,
        env: Json,
        volume: &Json,
    ) -> Manifest {
        let labels = json!({"cht.service": service});
        let secret = |key: &str| {
            let reference = json!({"name": "cht-couchdb-credentials", "key": key});
            json!({"name": key, "valueFrom": {"secretKeyRef": reference}})
        };
        let servers = json!({"name": "COUCHDB_SERVERS", "valueFrom": {"configMapKeyRef": {
            "name": "couchdb-servers-configmap", "key": "COUCHDB_SERVERS",
        }}});
        let keys =
            ["COUCHDB_USER", "COUCHDB_PASSWORD", "COUCHDB_SECRET", "COUCHDB_UUID", "COUCH_URL"];
        let mut all: Vec<Json> = keys.iter().map(|key| secret(key)).chain([servers]).collect();
        let own = env.as_object().unwrap().iter();
        all.extend(own.map(|(name, value)| json!({"name": name, "value": value})));
        let image = format!("public.ecr.aws/medic/cht-{image}:{}", self.release);
        let mut container = json!({"name": name, "image": image, "env": all});
        let mut pod = json!({});
        if volume.get("volumes").is_some() {
            container["volumeMounts"] = volume["volumeMounts"].clone();
            pod["volumes"] = volume["volumes"].clone();
        }
        pod["containers"] = json!([container]);
        let object = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "namespace": self.namespace, "labels": labels},
            "spec": {
                "replicas": 1, "strategy": {"type": "Recreate"},
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        });
        (format!("/apis/apps/v1/namespaces/{}/deployments", self.namespace), object)
    }

    fn core(&self, plural: &str, name: &str, mut object: Json) -> Manifest {
        object["metadata"] = json!({"name": name, "namespace": self.namespace});
        (format!("/api/v1/namespaces/{}/{plural}", self.namespace), object)
    }
}
