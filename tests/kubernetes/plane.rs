//! A real control plane on loopback: etcd, API server, controller manager and scheduler, and
//! stand-in nodes. One for the whole run.

use std::path::PathBuf;
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::authority::{Authority, Signed, base64, token_keys};
use super::client::Client;
use super::commands;
use super::kubelet::Kubelet;
use super::processes::{Processes, free_ports};

/// How long everything may take to be ready. It takes 6 s on 2 idle cores.
const START_LIMIT: Duration = Duration::from_secs(120);

/// The group of everybody whose requests are written down; its members may do everything.
const WATCHED: &str = "boma:watched";

/// The running control plane.
pub struct Plane {
    pub port: u16,
    pub audit_log: PathBuf,
    authority: Authority,
}

static PLANE: OnceLock<Result<Plane, String>> = OnceLock::new();
static TURNS: RwLock<()> = RwLock::const_new(());

impl Plane {
    /// Starts it at the first call.
    pub fn get() -> &'static Self {
        match PLANE.get_or_init(start) {
            Ok(plane) => plane,
            Err(error) => panic!("there is no control plane to test against: {error}"),
        }
    }

    /// Held by a test that minds its own namespace.
    pub async fn shared() -> RwLockReadGuard<'static, ()> {
        TURNS.read().await
    }

    /// Held by a test that makes objects of which the whole cluster has one, or changes its nodes.
    pub async fn alone() -> RwLockWriteGuard<'static, ()> {
        TURNS.write().await
    }

    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// May do everything; what it does is not counted.
    pub fn admin(&self) -> Client {
        self.client(&self.authority.client("admin", "system:masters"))
    }

    /// May do nothing beyond reading what everybody may.
    pub fn nobody(&self) -> Signed {
        self.authority.client("nobody", "nobodies")
    }

    /// May do everything; what it asks for is in the audit log under this name.
    pub fn watched(&self, user: &str) -> Signed {
        self.authority.client(user, WATCHED)
    }

    pub fn client(&self, signed: &Signed) -> Client {
        Client::new(&self.url(), &self.authority.pem, signed)
    }

    /// As k3s writes it: everything in one text.
    pub fn kubeconfig(&self, signed: &Signed) -> String {
        kubeconfig(&self.url(), &self.authority.pem, signed)
    }
}

fn kubeconfig(url: &str, ca_pem: &str, signed: &Signed) -> String {
    let data = |text: &str| base64(text.as_bytes());
    let cluster = json!({"server": url, "certificate-authority-data": data(ca_pem)});
    let user = json!({"client-certificate-data": data(&signed.certificate),
        "client-key-data": data(&signed.key)});
    let context = json!({"cluster": "default", "user": "default"});
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "default",
        "clusters": [{"name": "default", "cluster": cluster}],
        "users": [{"name": "default", "user": user}],
        "contexts": [{"name": "default", "context": context}],
    })
    .to_string()
}

/// The nodes need a runtime that outlives every test, so all of it lives in a thread of its own.
fn start() -> Result<Plane, String> {
    let (told, hear) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let started = match Starting::new() {
                Ok(starting) => starting.run().await,
                Err(error) => Err(error),
            };
            match started {
                Ok((plane, _processes)) => {
                    let server = plane.authority.server();
                    let commands = commands::serve(plane.admin(), &server).await;
                    let kubelet = Kubelet::new(plane.admin(), commands);
                    let ready = kubelet.join().await;
                    told.send(ready.map(|()| plane)).unwrap();
                    kubelet.run().await;
                }
                Err(error) => told.send(Err(error)).unwrap(),
            }
        });
    });
    hear.recv().unwrap_or_else(|_| Err("its thread ended".to_owned()))
}

/// The control plane while it comes up.
struct Starting {
    binaries: PathBuf,
    processes: Processes,
    authority: Authority,
    port: u16,
    end: Instant,
}

impl Starting {
    fn new() -> Result<Self, String> {
        let binaries = std::env::var_os("BOMA_KUBERNETES")
            .ok_or("BOMA_KUBERNETES is the folder of programs that .ci/conformance builds")?;
        Ok(Self {
            binaries: binaries.into(),
            processes: Processes::new(),
            authority: Authority::new(),
            port: 0,
            end: Instant::now() + START_LIMIT,
        })
    }

    async fn run(mut self) -> Result<(Plane, Processes), String> {
        self.identities();
        let [api, clients, peers] = free_ports();
        self.port = api;
        let store = self.etcd(clients, peers)?;
        self.api_server(&store)?;
        let admin = self.client("admin", "system:masters");
        self.until(&admin, "/readyz", |code, _| code == 200).await?;
        self.rights(&admin).await;
        self.clients()?;
        // Made by the controller manager; no pod can be before it.
        let account = "/api/v1/namespaces/default/serviceaccounts/default";
        self.until(&admin, account, |_, body| !body["secrets"].is_null()).await?;
        let audit_log = self.processes.folder.join("audit.log");
        let plane = Plane { port: self.port, audit_log, authority: self.authority };
        Ok((plane, self.processes))
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.processes.folder.join(name), text).unwrap();
    }

    fn identities(&self) {
        let server = self.authority.server();
        let (private, public) = token_keys();
        let rules = json!([{"level": "Metadata", "userGroups": [WATCHED]}, {"level": "None"}]);
        let policy = json!({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": rules,
            "omitStages": ["RequestReceived"]});
        self.write("ca.pem", &self.authority.pem);
        self.write("server.pem", &server.certificate);
        self.write("server.key", &server.key);
        self.write("tokens.key", &private);
        self.write("tokens.pub", &public);
        self.write("policy.yaml", &policy.to_string());
    }

    fn start(&mut self, program: &str, args: &[&str]) -> Result<(), String> {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        self.processes.start(&self.binaries.join(program), &args)
    }

    fn etcd(&mut self, clients: u16, peers: u16) -> Result<String, String> {
        let clients = format!("http://127.0.0.1:{clients}");
        let peers = format!("http://127.0.0.1:{peers}");
        self.start(
            "etcd",
            &[
                "--data-dir=etcd",
                &format!("--listen-client-urls={clients}"),
                &format!("--advertise-client-urls={clients}"),
                &format!("--listen-peer-urls={peers}"),
                &format!("--initial-advertise-peer-urls={peers}"),
                &format!("--initial-cluster=default={peers}"),
            ],
        )?;
        Ok(clients)
    }

    fn api_server(&mut self, store: &str) -> Result<(), String> {
        self.start(
            "kube-apiserver",
            &[
                &format!("--etcd-servers={store}"),
                "--bind-address=127.0.0.1",
                "--advertise-address=127.0.0.1",
                "--endpoint-reconciler-type=none",
                &format!("--secure-port={}", self.port),
                "--tls-cert-file=server.pem",
                "--tls-private-key-file=server.key",
                "--client-ca-file=ca.pem",
                "--authorization-mode=Node,RBAC",
                "--allow-privileged",
                // Where stand-in nodes say that they run commands.
                "--kubelet-preferred-address-types=ExternalIP,InternalIP",
                "--service-cluster-ip-range=10.43.0.0/16",
                "--service-account-issuer=https://kubernetes.default.svc",
                "--service-account-key-file=tokens.pub",
                "--service-account-signing-key-file=tokens.key",
                "--audit-policy-file=policy.yaml",
                "--audit-log-path=audit.log",
            ],
        )
    }

    /// Controller manager and scheduler, with no ports of their own.
    fn clients(&mut self) -> Result<(), String> {
        let common = [
            "--leader-elect=false",
            "--port=0",
            "--secure-port=0",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
        ];
        for program in ["kube-controller-manager", "kube-scheduler"] {
            let signed = self.authority.client(&format!("system:{program}"), "");
            let url = format!("https://127.0.0.1:{}", self.port);
            let file = format!("{program}.json");
            self.write(&file, &kubeconfig(&url, &self.authority.pem, &signed));
            let config = format!("--kubeconfig={file}");
            let mut args = vec![config.as_str()];
            args.extend(common);
            if program == "kube-controller-manager" {
                args.extend([
                    "--service-account-private-key-file=tokens.key",
                    "--root-ca-file=ca.pem",
                    "--use-service-account-credentials",
                ]);
            }
            self.start(program, &args)?;
        }
        Ok(())
    }

    fn client(&self, user: &str, group: &str) -> Client {
        let url = format!("https://127.0.0.1:{}", self.port);
        Client::new(&url, &self.authority.pem, &self.authority.client(user, group))
    }

    async fn rights(&self, admin: &Client) {
        let group = "rbac.authorization.k8s.io";
        let binding = json!({
            "apiVersion": format!("{group}/v1"),
            "kind": "ClusterRoleBinding",
            "metadata": {"name": WATCHED},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"apiGroup": group, "kind": "Group", "name": WATCHED}],
        });
        admin.post(&format!("/apis/{group}/v1/clusterrolebindings"), &binding).await.ok();
    }

    /// Asks until the answer is right, and no longer than the programs run.
    async fn until(
        &mut self,
        admin: &Client,
        path: &str,
        right: impl Fn(u16, &Json) -> bool,
    ) -> Result<(), String> {
        loop {
            self.processes.alive()?;
            let answer = admin.request(reqwest::Method::GET, path, "", None).await;
            if answer.is_ok_and(|answer| right(answer.code, &answer.body)) {
                return Ok(());
            }
            if Instant::now() > self.end {
                return Err(format!("no good answer at {path}\n{}", self.processes.logs()));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
