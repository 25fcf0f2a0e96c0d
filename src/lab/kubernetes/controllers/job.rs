//! Jobs run to their end.

use serde_json::{Value as Json, json};

use super::condition::{self, Condition};
use super::json::{Stored, is_going, list, number, text, uid};
use super::pod::{self, Maker};
use super::replicas::by_owner;
use super::work::Work;

/// Makes the pods that are missing, and counts those that have ended.
pub(super) fn run(work: &mut Work<'_>) {
    let mut pods = by_owner(work.due_pods());
    for (key, job) in work.due("batch", "jobs") {
        let own = pods.remove(uid(&job)).unwrap_or_default();
        if is_going(&job) {
            continue;
        }
        let wanted = number(&job, "/spec/completions").unwrap_or(1);
        let done = count(&own, |pod| text(pod, "/status/phase") == "Succeeded");
        let active = count(&own, pod::is_active);
        let at_once = number(&job, "/spec/parallelism").unwrap_or(1);
        let maker = Maker { object: &job, api: "batch/v1", kind: "Job", by: "job-controller" };
        for _ in active..at_once.min(wanted - done) {
            // Admission's objection is in the events.
            if pod::create(work, &maker, &job["spec"]["template"], |_| ()).is_err() {
                break;
            }
        }
        let status = status(work, &job, done, active, wanted);
        work.put_status(&key, status);
    }
}

fn count(own: &[Stored], is: impl Fn(&Json) -> bool) -> i64 {
    i64::try_from(own.iter().filter(|(_, pod)| is(pod)).count()).unwrap_or_default()
}

fn status(work: &Work<'_>, job: &Json, done: i64, active: i64, wanted: i64) -> Json {
    let started = match text(job, "/status/startTime") {
        "" => work.now(),
        started => started.to_owned(),
    };
    let mut status = json!({"startTime": started, "ready": 0});
    for (name, value) in [("active", active), ("succeeded", done)] {
        if value > 0 {
            status[name] = json!(value);
        }
    }
    if done >= wanted {
        let ended = text(job, "/status/completionTime");
        status["completionTime"] =
            json!(if ended.is_empty() { work.now() } else { ended.to_owned() });
        let complete = Condition {
            kind: "Complete",
            status: true,
            reason: "CompletionsReached",
            message: "Reached expected number of succeeded pods",
        };
        let before = list(job, "/status/conditions");
        status["conditions"] = json!(condition::set(before, &[complete], &work.now()));
    }
    status
}
