//! Fields that the API keeps for good: what it refuses to change, a plan never calls an update, and
//! what it changes, a plan neither refuses nor makes anew.

use boma::plan::diff;
use boma::provider::kubernetes::Trial;
use boma::resource::Effect;
use serde_json::{Value as Json, json};

use super::manifests::deployment;
use super::rig::{Backend, Rig};
use super::subject::Subject;

on_each_backend! {
    workloads_keep_what_ties_them_to_their_pods,
    numbered_pods_keep_their_claims,
    work_that_is_done_once_is_made_anew,
    classes_bindings_and_volumes_keep_what_they_stand_for,
}

type Edit = (&'static str, fn(&mut Json));

/// Makes the object, and holds against each edit what the API says of it and what a plan would.
async fn check(rig: &Rig, manifest: &Json, kept: &[Edit], free: &[Edit]) {
    let made = rig.make(manifest).await;
    let all = kept.iter().map(|edit| (edit, true)).chain(free.iter().map(|edit| (edit, false)));
    for ((what, edit), is_kept) in all {
        let what = format!("{} {what}", manifest["kind"]);
        let mut edited = made.clone();
        edited.edit(edit);
        let refused = refusal(rig, &edited).await;
        assert_eq!(refused.is_some(), is_kept, "{what}: the API says {refused:?}");
        assert_eq!(is_no_update(&edited), is_kept, "{what}: the plan says otherwise");
    }
}

async fn refusal(rig: &Rig, subject: &Subject) -> Option<String> {
    let trial = Trial {
        address: subject.address.clone(),
        place: subject.locator.place.clone(),
        attributes: subject.desired.clone(),
        mark: Some(subject.mark.clone()),
        fields: Vec::new(),
    };
    let (_, verdict) = rig.provider.server_dry_run(vec![trial]).await.remove(0);
    let objection = verdict.err()?;
    assert!(objection.is_lasting, "{objection:?}");
    Some(objection.message)
}

fn is_no_update(subject: &Subject) -> bool {
    let live = subject.object.as_ref().expect("it was made").attributes.tree();
    let found = diff(subject.kind, &subject.desired, None, &live);
    assert!(!found.is_empty(), "{} shows no difference", subject.address);
    found.iter().any(|one| matches!(one.effect, Effect::Replace | Effect::Refuse(_)))
}

fn relabel(desired: &mut Json) {
    let labels = json!({"app": "other"});
    desired["spec"]["selector"] = json!({"matchLabels": labels});
    desired["spec"]["template"]["metadata"]["labels"] = labels;
}

fn image(desired: &mut Json) {
    desired["spec"]["template"]["spec"]["containers"][0]["image"] = json!("registry.example/web:2");
}

fn replicas(desired: &mut Json) {
    desired["spec"]["replicas"] = json!(1);
}

async fn workloads_keep_what_ties_them_to_their_pods(backend: Backend) {
    let rig = Rig::on(backend, "fixed-workloads").await;
    let free: &[Edit] = &[("image", image), ("replicas", replicas)];
    check(&rig, &deployment("web"), &[("selector", relabel)], free).await;
    let mut set = deployment("set");
    set["kind"] = json!("ReplicaSet");
    check(&rig, &set, &[("selector", relabel)], free).await;
    let mut daemon = deployment("daemon");
    daemon["kind"] = json!("DaemonSet");
    daemon["spec"].as_object_mut().unwrap().remove("replicas");
    check(&rig, &daemon, &[("selector", relabel)], &[("image", image)]).await;
    rig.stop().await;
}

async fn numbered_pods_keep_their_claims(backend: Backend) {
    let rig = Rig::on(backend, "fixed-numbered").await;
    let mut set = deployment("queue");
    set["kind"] = json!("StatefulSet");
    set["spec"]["serviceName"] = json!("queue");
    set["spec"]["volumeClaimTemplates"] = json!([{"metadata": {"name": "data"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}},
    }}]);
    let made = rig.subject(&set);
    let kept: &[Edit] = &[
        ("selector", relabel),
        ("service", |it| it["spec"]["serviceName"] = json!("other")),
        ("order", |it| it["spec"]["podManagementPolicy"] = json!("Parallel")),
        ("claims", |it| {
            let claim = &mut it["spec"]["volumeClaimTemplates"][0]["spec"];
            claim["resources"]["requests"]["storage"] = json!("2Gi");
        }),
    ];
    let free: &[Edit] = &[
        ("image", image),
        ("replicas", replicas),
        ("update", |it| {
            it["spec"]["updateStrategy"]["rollingUpdate"] = json!({"partition": 1});
        }),
    ];
    check(&rig, &set, kept, free).await;
    assert_eq!(rig.seen(&made).await.differences(), [""; 0]);
    rig.stop().await;
}

async fn work_that_is_done_once_is_made_anew(backend: Backend) {
    let rig = Rig::on(backend, "fixed-once").await;
    let pod = json!({
        "restartPolicy": "Never",
        "containers": [{"name": "main", "image": "registry.example/web:1",
            "resources": {"limits": {"memory": "1024Mi", "cpu": "0.5"}}}],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "1024Mi"}}],
    });
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once"},
        "spec": {"template": {"spec": pod}, "completions": 1}});
    let kept: &[Edit] = &[
        ("image", image),
        ("completions", |it| it["spec"]["completions"] = json!(2)),
        ("memory", |it| {
            let container = &mut it["spec"]["template"]["spec"]["containers"][0];
            container["resources"]["limits"]["memory"] = json!("2Gi");
        }),
    ];
    let free: &[Edit] = &[("parallelism", |it| it["spec"]["parallelism"] = json!(2))];
    check(&rig, &job, kept, free).await;
    let job = rig.subject(&job);
    assert_eq!(rig.seen(&job).await.differences(), [""; 0]);

    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "lone"}, "spec": pod});
    let kept: &[Edit] = &[
        ("command", |it| it["spec"]["containers"][0]["command"] = json!(["true"])),
        ("network", |it| it["spec"]["hostNetwork"] = json!(true)),
    ];
    let free: &[Edit] =
        &[("image", |it| it["spec"]["containers"][0]["image"] = json!("registry.example/web:2"))];
    check(&rig, &pod, kept, free).await;
    rig.stop().await;
}

async fn classes_bindings_and_volumes_keep_what_they_stand_for(backend: Backend) {
    let rig = Rig::on(backend, "fixed-classes").await;
    let named = |api: &str, kind: &str, rest: Json| {
        let mut manifest =
            json!({"apiVersion": api, "kind": kind, "metadata": {"name": "fixed-classes"}});
        manifest.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        manifest
    };
    let class = json!({"provisioner": "x.example", "parameters": {"a": "b"},
        "volumeBindingMode": "Immediate", "reclaimPolicy": "Retain"});
    let kept: &[Edit] = &[
        ("parameters", |it| it["parameters"] = json!({"a": "c"})),
        ("reclaim policy", |it| it["reclaimPolicy"] = json!("Delete")),
        ("binding", |it| it["volumeBindingMode"] = json!("WaitForFirstConsumer")),
    ];
    let free: &[Edit] = &[("expansion", |it| it["allowVolumeExpansion"] = json!(true))];
    check(&rig, &named("storage.k8s.io/v1", "StorageClass", class), kept, free).await;

    let value = json!({"value": 7});
    let kept: &[Edit] = &[("value", |it| it["value"] = json!(8))];
    let free: &[Edit] = &[("description", |it| it["description"] = json!("x"))];
    check(&rig, &named("scheduling.k8s.io/v1", "PriorityClass", value), kept, free).await;

    let controller = json!({"spec": {"controller": "example.org/a"}});
    let kept: &[Edit] = &[("controller", |it| it["spec"]["controller"] = json!("example.org/b"))];
    check(&rig, &named("networking.k8s.io/v1", "IngressClass", controller), kept, &[]).await;

    let handler = json!({"handler": "a"});
    let kept: &[Edit] = &[("handler", |it| it["handler"] = json!("b"))];
    check(&rig, &named("node.k8s.io/v1", "RuntimeClass", handler), kept, &[]).await;

    let binding = json!({"subjects": [{"kind": "User", "name": "a",
        "apiGroup": "rbac.authorization.k8s.io"}], "roleRef": {"kind": "ClusterRole", "name": "a",
        "apiGroup": "rbac.authorization.k8s.io"}});
    let kept: &[Edit] = &[("role", |it| it["roleRef"]["name"] = json!("b"))];
    let free: &[Edit] = &[("subjects", |it| it["subjects"][0]["name"] = json!("b"))];
    let api = "rbac.authorization.k8s.io/v1";
    check(&rig, &named(api, "ClusterRoleBinding", binding), kept, free).await;

    let volume = json!({"spec": {"capacity": {"storage": "1024Mi"},
        "accessModes": ["ReadWriteOnce"], "persistentVolumeReclaimPolicy": "Delete",
        "csi": {"driver": "x.example", "volumeHandle": "a"}}});
    let kept: &[Edit] = &[("handle", |it| it["spec"]["csi"]["volumeHandle"] = json!("b"))];
    let free: &[Edit] = &[("reclaim policy", |it| {
        it["spec"]["persistentVolumeReclaimPolicy"] = json!("Retain");
    })];
    check(&rig, &named("v1", "PersistentVolume", volume), kept, free).await;
    rig.stop().await;
}
