//! Waiting is reading until a condition holds.

use std::time::Duration;

use crate::provider::{Provider, ProviderError, Retry, Wanted};
use crate::resource::{Condition, Reading};

use super::{Clock, Stop};
use serde_json::Value as Json;

/// The first pause between two readings; each next one is half as long again, up to five seconds.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What is waited for, and for how long.
pub struct Waiting<'a> {
    /// The object.
    pub wanted: &'a Wanted,
    /// What shall be true of it.
    pub condition: &'a Condition,
    /// Whether a tree has what the step wrote.
    pub written: &'a (dyn Fn(&Json) -> bool + Sync),
    /// Seconds.
    pub deadline_s: u64,
    /// Hears what is missing, and for how many seconds it has been waited for.
    pub tell: &'a (dyn Fn(&str, u64) + Sync),
}

impl Waiting<'_> {
    /// Reads until the condition holds, beginning with the reading at hand.
    ///
    /// # Errors
    /// The deadline passed, or somebody asked to stop at once; the message says what was missing
    /// last.
    pub async fn wait(
        &self,
        first: Reading,
        provider: &dyn Provider,
        clock: &dyn Clock,
        stop: &Stop,
    ) -> Result<Reading, ProviderError> {
        let begun = clock.now();
        let end = begun + Duration::from_secs(self.deadline_s);
        let mut pause = FIRST_PAUSE;
        let mut reading = first;
        let mut told = Told::default();
        loop {
            let unmet = match self.condition.check(&reading, self.written) {
                Ok(()) => return Ok(reading),
                Err(unmet) => unmet,
            };
            if stop.is_now() {
                let words = last_words(&reading);
                return Err(self.gave_up(format!("stopped while waiting: {unmet}{words}")));
            }
            if clock.now() >= end {
                let (deadline_s, words) = (self.deadline_s, last_words(&reading));
                return Err(self.gave_up(format!("{unmet}, after {deadline_s} s{words}")));
            }
            let waited_s = clock.now().saturating_sub(begun).as_secs();
            // What takes its usual time needs no cause.
            let words = if waited_s < TOLD_AGAIN_S { String::new() } else { cause(&reading) };
            let text = format!("{unmet}{words}");
            if told.is_news(&text, waited_s) {
                (self.tell)(&text, waited_s);
            }
            tokio::select! {
                () = clock.sleep(pause) => {}
                () = stop.now() => {}
            }
            pause = longer(pause);
            reading = read_one(provider, self.wanted).await;
        }
    }

    fn gave_up(&self, message: String) -> ProviderError {
        ProviderError {
            operation: format!("wait for {}", self.wanted.address),
            message,
            help: "look at the object; the next apply goes on from where it stands".into(),
            retry: Retry::Later,
        }
    }
}

/// So many lines of a service's last words are said: the first one, which may say what they mean,
/// and the latest.
const LINES: usize = 6;

/// Why it is probably so, where the object says.
fn cause(reading: &Reading) -> String {
    let tree = reading.object().map(|object| object.attributes.tree());
    let cause = tree.as_ref().and_then(|tree| tree["likely_cause"].as_str());
    cause.map(|cause| format!("; likely cause: {cause}")).unwrap_or_default()
}

/// What a service that did not come up said last, where its object has it; else the likely cause.
fn last_words(reading: &Reading) -> String {
    let tree = reading.object().map(|object| object.attributes.tree());
    let Some(words) = tree.as_ref().and_then(|tree| tree["last_words"].as_str()) else {
        return cause(reading);
    };
    let lines: Vec<&str> = words.lines().collect();
    let shown = match lines.split_first() {
        Some((first, rest)) if lines.len() > LINES => {
            [&[*first, "…"], &rest[rest.len() + 1 - LINES..]].concat()
        }
        _ => lines,
    };
    format!("; its service said last: {}", shown.join(" | "))
}

/// After this many seconds a wait is told again, after twice as many once more, and so on.
const TOLD_AGAIN_S: u64 = 60;

/// What was told of a wait.
#[derive(Default)]
struct Told {
    text: String,
    waited_s: u64,
}

impl Told {
    /// Whether it is worth another word; takes it as told then.
    fn is_news(&mut self, text: &str, waited_s: u64) -> bool {
        let again = waited_s >= TOLD_AGAIN_S && waited_s >= 2 * self.waited_s;
        let news = again || self.text != text;
        if news {
            self.text = text.to_owned();
        }
        if again {
            self.waited_s = waited_s;
        }
        news
    }
}

/// The pause after that one.
pub(super) fn longer(pause: Duration) -> Duration {
    (pause * 3 / 2).min(LONGEST_PAUSE)
}

/// Reads one object.
pub async fn read_one(provider: &dyn Provider, wanted: &Wanted) -> Reading {
    let readings = provider.read(std::slice::from_ref(wanted)).await;
    let found = readings.into_iter().find(|(address, _)| *address == wanted.address);
    found.map_or_else(
        || Reading::Unread("the provider gave no answer".into()),
        |(_, reading)| reading,
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Mutex;

    use serde_json::json;

    use super::*;
    use crate::plan::Step;
    use crate::provider::{Act, BoxFuture, Inputs, Run};
    use crate::resource::{Address, Attributes, Kind, Locator, Object};

    /// What never gets ready, and waits that are over at once.
    struct Stuck {
        attributes: Json,
        now: Mutex<Duration>,
    }

    impl Clock for Stuck {
        fn now(&self) -> Duration {
            *self.now.lock().unwrap()
        }

        fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
            *self.now.lock().unwrap() += duration;
            Box::pin(std::future::ready(()))
        }
    }

    impl Provider for Stuck {
        fn read<'a>(&'a self, wanted: &'a [Wanted]) -> BoxFuture<'a, Vec<(Address, Reading)>> {
            let attributes = Attributes::new(&self.attributes);
            let object = Object { id: "id".into(), attributes, mark: None };
            let one = (wanted[0].address.clone(), Reading::Present(object));
            Box::pin(std::future::ready(vec![one]))
        }

        fn act<'a>(&'a self, _: &'a Step, _: &'a Inputs, _: &'a dyn Run) -> BoxFuture<'a, Act> {
            Box::pin(std::future::ready(Ok(Reading::Absent)))
        }
    }

    type Told = Vec<(String, u64)>;

    /// Waits 300 s in vain. Gives the error, and what was told meanwhile and when.
    async fn gave_up(address: &str, kind: &str, attributes: Json) -> (ProviderError, Told) {
        let stuck = Stuck { attributes, now: Mutex::default() };
        let told = Mutex::new(Vec::new());
        let wanted = Wanted {
            address: Address::from(address),
            kind: Kind::named(kind).unwrap(),
            locator: Locator::default(),
        };
        let waiting = Waiting {
            wanted: &wanted,
            condition: &Condition::Set("ready".into()),
            written: &|_| true,
            deadline_s: 300,
            tell: &|text, waited_s| told.lock().unwrap().push((text.to_owned(), waited_s)),
        };
        let first = read_one(&stuck, &wanted).await;
        let error = waiting.wait(first, &stuck, &stuck, &Stop::default()).await.unwrap_err();
        assert!((300..=305).contains(&stuck.now().as_secs()), "{:?}", stuck.now());
        (error, told.into_inner().unwrap())
    }

    #[tokio::test]
    async fn a_deadline_that_passes_is_told_with_the_last_reason() {
        let reason = "0 of 1 pods are available; pod a-1: ErrImagePull: no such image";
        let attributes = json!({"ready": false, "waiting": reason});
        let (error, _) =
            gave_up("cluster/csi/Deployment/a", "kubernetes/Deployment", attributes).await;
        assert_eq!(error.operation, "wait for cluster/csi/Deployment/a");
        assert_eq!(error.message, format!("it is not ready: {reason}, after 300 s"));
    }

    #[tokio::test]
    async fn a_wait_that_takes_long_says_the_likely_cause() {
        let attributes = json!({"ready": false, "likely_cause": "no data source"});
        let (error, told) = gave_up("vsphere/vm/a", "vsphere/vm", attributes).await;
        assert!(error.message.ends_with(", after 300 s; likely cause: no data source"), "{error}");
        assert!(!told[0].0.contains("likely cause") && told[0].1 == 0, "{told:?}");
        assert!(told[1].0.ends_with("; likely cause: no data source"), "{told:?}");
        assert!((60..66).contains(&told[1].1), "{told:?}");
    }

    fn check(last_words: &str, expected: &str) {
        let attributes = Attributes::new(&json!({ "last_words": last_words }));
        let object = Object { id: "id".into(), attributes, mark: None };
        assert_eq!(super::last_words(&Reading::Present(object)), expected);
    }

    #[test]
    fn a_service_that_failed_has_the_last_word() {
        check("a\nb", "; its service said last: a | b");
        let many = ["cause; help", "1", "2", "3", "4", "5", "6", "7"].join("\n");
        check(&many, "; its service said last: cause; help | … | 3 | 4 | 5 | 6 | 7");
        assert_eq!(super::last_words(&Reading::Absent), "");
    }
}
