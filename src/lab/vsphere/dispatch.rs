//! From a request's text to an answer's: parse, check, authorise, carry out.

use std::collections::BTreeMap;

use crate::lab::StagedFault;
use crate::xml::{Element, SOAP, envelope};

use super::answer::Answer;
use super::call::{Call, Settings};
use super::fault::Fault;
use super::machine::Machine;
use super::reading::Reading;
use super::schema::SCHEMA;
use super::staging::{Hits, Staging};
use super::world::{Effect, Entry, Ref, Session, World};
use super::{
    clone, folder, ids, lookup, permission, power, question, reconfigure, role, rule, session, task,
};

/// The world with what does not outlive the process: views, pages, counters.
pub(in crate::lab) struct Desk {
    pub world: World,
    reading: Reading,
    /// Milliseconds since 1970 of each session's last call.
    pub(super) active: BTreeMap<String, u64>,
    /// Wrong passwords in a row, and when the last was.
    failures: BTreeMap<String, (u32, u64)>,
    /// Calls by method.
    pub(super) requests: BTreeMap<String, u64>,
    pub(in crate::lab) staging: Staging,
    /// Names of storage policies beside the usual ones.
    pub(in crate::lab) policies: Vec<String>,
}

/// The answer to one HTTP request, and the records to keep before it leaves.
#[derive(Default)]
pub(in crate::lab) struct Reply {
    pub status: u16,
    pub body: String,
    /// The session cookie's new value.
    pub cookie: Option<String>,
    pub entries: Vec<Entry>,
    /// The connection is to be cut instead of answering.
    pub cut: bool,
    /// The same request is to be handled again in a moment instead of answering.
    pub waits: bool,
}

/// A SOAP request that is to be carried out.
pub(super) struct Begun {
    pub call: Element,
    /// The object that it is sent to.
    pub this: Ref,
    pub hits: Hits,
    /// With the records of what time did before it.
    pub reply: Reply,
}

/// What a method gives back besides changes of the world.
type Done = Result<(Answer, Option<String>), Fault>;

impl Desk {
    pub(in crate::lab) fn new(world: World) -> Self {
        Self {
            world,
            reading: Reading::default(),
            active: BTreeMap::new(),
            failures: BTreeMap::new(),
            requests: BTreeMap::new(),
            staging: Staging::default(),
            policies: Vec::new(),
        }
    }

    /// Answers one SOAP request. `cookie` is the session cookie the client sent.
    pub(in crate::lab) fn handle(
        &mut self,
        text: &str,
        cookie: Option<&str>,
        agent: &str,
        settings: Settings,
        now: u64,
    ) -> Reply {
        let Begun { call, this, hits, mut reply } = match self.begin(text, now) {
            Ok(begun) => begun,
            Err(reply) => return reply,
        };
        let settings = self.prepare(&hits, &this, cookie, settings, &mut reply.entries);
        let done = refused(&hits)
            .and_then(|()| SCHEMA.check_call(&call, &this.class))
            .and_then(|()| self.carry_out(&call, this, cookie, agent, settings, now));
        reply.cut = hits.has(&StagedFault::DropAfter);
        match done {
            Ok((answer, _)) if answer.waits => {
                // Counted once, when it is answered.
                self.requests.entry(call.name).and_modify(|count| *count -= 1);
                Reply { waits: true, ..reply }
            }
            Ok((mut answer, cookie)) => {
                change(&self.world, &hits, &mut answer);
                self.keep(answer.effects, &mut reply.entries);
                let body = Element::new(&format!("{}Response", call.name)).extend(answer.returned);
                Reply { status: 200, body: envelope(body), cookie, ..reply }
            }
            Err(fault) if fault.kind == session::TOO_MANY => reply.unavailable(),
            Err(fault) => reply.refused(&fault),
        }
    }

    /// Reads one SOAP request and counts it. An error is what is answered at once.
    pub(super) fn begin(&mut self, text: &str, now: u64) -> Result<Begun, Reply> {
        let reply = Reply { entries: self.settle(now), ..Reply::default() };
        match read_call(text) {
            Ok((call, this)) => {
                let (hits, reply) = self.count(&call.name, reply)?;
                Ok(Begun { call, this, hits, reply })
            }
            Err(fault) => Err(reply.refused(&fault)),
        }
    }

    /// Counts one request of any protocol. An error is what staged faults answer in its place.
    pub(super) fn count(&mut self, name: &str, reply: Reply) -> Result<(Hits, Reply), Reply> {
        *self.requests.entry(name.to_owned()).or_default() += 1;
        let hits = self.staging.count(name);
        if hits.has(&StagedFault::DropBefore) {
            return Err(Reply { cut: true, ..reply });
        }
        if hits.has(&StagedFault::Unavailable) {
            return Err(reply.unavailable());
        }
        Ok((hits, reply))
    }

    /// Does what staged faults do before a call, and gives the settings that it runs with.
    fn prepare(
        &mut self,
        hits: &Hits,
        this: &Ref,
        cookie: Option<&str>,
        mut settings: Settings,
        entries: &mut Vec<Entry>,
    ) -> Settings {
        for fault in hits.iter() {
            match fault {
                StagedFault::ExpireSession => {
                    let key = self.session(cookie).map(|session| session.key.clone());
                    if let Some(key) = key {
                        self.forget(&key);
                        self.keep(vec![Effect::Logout(key)], entries);
                    }
                }
                StagedFault::ConcurrentWrite => {
                    let entity = self.world.get(&this.id);
                    let written = entity.and_then(|entity| {
                        let machine = entity.machine()?.clone();
                        Some(entity.with(Machine { changes: machine.changes + 1, ..machine }))
                    });
                    self.keep(written.into_iter().collect(), entries);
                }
                StagedFault::SlowTask { ms } => settings.task_delay_ms = *ms,
                StagedFault::SmallPages { size } => {
                    settings.page_size = settings.page_size.min((*size).max(1));
                }
                _ => {}
            }
        }
        settings
    }

    /// Applies effects and notes their record.
    pub(super) fn keep(&mut self, effects: Vec<Effect>, entries: &mut Vec<Entry>) {
        if !effects.is_empty() {
            let entry = Entry { effects };
            self.world.apply(&entry);
            entries.push(entry);
        }
    }

    /// The session that a cookie belongs to.
    pub(super) fn session(&self, cookie: Option<&str>) -> Option<&Session> {
        self.world.sessions.values().find(|session| Some(session.cookie.as_str()) == cookie)
    }

    /// Lets time do its work: finished tasks, sessions that nobody used.
    pub(in crate::lab) fn settle(&mut self, now: u64) -> Vec<Entry> {
        let mut entries = task::settle(&mut self.world, now);
        let idle = self.world.sessions.values().filter(|session| {
            let last = self.active.get(&session.key).copied().unwrap_or(session.login_ms);
            last.saturating_add(session::IDLE_MS) < now
        });
        let idle: Vec<String> = idle.map(|session| session.key.clone()).collect();
        if !idle.is_empty() {
            idle.iter().for_each(|key| self.forget(key));
            let effects = idle.into_iter().map(Effect::Logout).collect();
            let entry = Entry { effects };
            self.world.apply(&entry);
            entries.push(entry);
        }
        entries
    }

    fn carry_out(
        &mut self,
        body: &Element,
        this: Ref,
        cookie: Option<&str>,
        agent: &str,
        settings: Settings,
        now: u64,
    ) -> Done {
        let known = session::SINGLETONS.iter().find(|(class, _)| *class == this.class);
        if known.is_some_and(|(_, id)| *id != this.id) {
            return Err(Fault::gone(&this));
        }
        match body.name.as_str() {
            "RetrieveServiceContent" => {
                return plain(Answer::value(session::service_content(
                    self.world.seed,
                    "returnval",
                )));
            }
            "Login" => return self.login(body, agent, now),
            _ => {}
        }
        let known = self.session(cookie);
        let session = known.cloned().ok_or_else(|| session::not_authenticated(&this))?;
        self.active.insert(session.key.clone(), now);
        let call = Call { world: &self.world, settings, session: &session, this, body, now };
        if let Some(answer) = self.reading.answer(&call) {
            return plain(answer?);
        }
        if body.name == "Logout" {
            self.forget(&session.key);
            return plain(Answer::done(vec![Effect::Logout(session.key)]));
        }
        plain(method(&call)?)
    }

    fn login(&mut self, body: &Element, agent: &str, now: u64) -> Done {
        let user = body.child_text("userName").unwrap_or_default();
        let password = body.child_text("password").unwrap_or_default();
        let session = self.open(user, password, agent, now)?;
        let cookie = session.cookie.clone();
        let mut answer = Answer::value(session::element(&session, now, "returnval"));
        answer.effects.push(Effect::Login(session));
        Ok((answer, Some(cookie)))
    }

    /// A new session, over SOAP or REST; it is not yet in the world.
    ///
    /// # Errors
    /// `InvalidLogin`, or [`session::TOO_MANY`].
    pub(super) fn open(
        &mut self,
        user: &str,
        password: &str,
        agent: &str,
        now: u64,
    ) -> Result<Session, Fault> {
        let principal = ids::principal(user);
        let (count, last) = self.failures.get(&principal).copied().unwrap_or_default();
        let over = last.saturating_add(session::LOCKED_MS) <= now;
        if count >= session::FAILURES_MAX && !over {
            return Err(session::invalid_login());
        }
        let principal = session::authenticate(&self.world, user, password).inspect_err(|_| {
            let count = if over { 1 } else { count + 1 };
            self.failures.insert(principal.clone(), (count, now));
        })?;
        self.failures.remove(&principal);
        let held = self.world.sessions.values().filter(|session| session.principal == principal);
        if held.count() >= session::SESSIONS_MAX {
            return Err(Fault::new(session::TOO_MANY, "Too many sessions."));
        }
        let session = session::open(&self.world, principal, agent, now);
        self.active.insert(session.key.clone(), now);
        Ok(session)
    }

    pub(super) fn forget(&mut self, session: &str) {
        self.active.remove(session);
        self.reading.forget(session);
    }
}

impl Reply {
    pub(super) fn refused(self, fault: &Fault) -> Self {
        Self { status: 500, body: envelope(fault.soap()), ..self }
    }

    /// What the proxy in front of vpxd says for it.
    pub(super) fn unavailable(self) -> Self {
        let body = "503 Service Unavailable (Failed to connect to endpoint)".to_owned();
        Self { status: 503, body, ..self }
    }
}

/// The staged fault that refuses the call.
pub(super) fn refused(hits: &Hits) -> Result<(), Fault> {
    let refusal = hits.iter().find_map(|fault| match fault {
        StagedFault::Refuse { kind, message } => Some(Fault::new(kind, message)),
        _ => None,
    });
    refusal.map_or(Ok(()), Err)
}

/// Does to an answer what staged faults do after a call.
fn change(world: &World, hits: &Hits, answer: &mut Answer) {
    for fault in hits.iter() {
        match fault {
            StagedFault::TaskError { kind, message } => {
                for effect in &mut answer.effects {
                    if let Effect::PutTask(task) = effect {
                        task.error = Some(Fault::new(kind, message));
                    }
                }
            }
            StagedFault::Question => question::hold(world, &mut answer.effects),
            _ => {}
        }
    }
}

/// The answer to a request in a version that this vCenter does not speak.
pub(in crate::lab) fn unsupported_version(action: &str) -> String {
    envelope(
        Fault::request(format!("Unsupported version URI {action:?}\n\nwhile parsing SOAP body"))
            .soap(),
    )
}

/// The call in an envelope, and the object it is sent to.
fn read_call(text: &str) -> Result<(Element, Ref), Fault> {
    let mut root = Element::parse(text).map_err(|error| Fault::request(error.to_string()))?;
    let soap = |element: &Element, name: &str| {
        element.name == name && element.namespace.as_deref() == Some(SOAP)
    };
    if !soap(&root, "Envelope") {
        return Err(Fault::request("Not a SOAP 1.1 envelope"));
    }
    let body = root.children.iter_mut().find(|child| soap(child, "Body"));
    let call = body.and_then(|body| body.children.drain(..).next());
    let call = call.ok_or_else(|| Fault::request("The SOAP body holds no call"))?;
    let this = call.children.first().filter(|child| child.name == "_this");
    let this = this.ok_or_else(|| {
        Fault::request(format!(
            "Expected element _this first\n\nwhile parsing call information for method {}",
            call.name
        ))
    })?;
    let this = Ref::read(this);
    Ok((call, this))
}

fn plain(answer: Answer) -> Done {
    Ok((answer, None))
}

/// Methods that need nothing but the world.
fn method(call: &Call<'_>) -> Result<Answer, Fault> {
    let singleton =
        session::SINGLETONS.contains(&(call.this.class.as_str(), call.this.id.as_str()));
    if !singleton && call.this.class != "Task" {
        call.entity()?;
    }
    match call.body.name.as_str() {
        "CurrentTime" => Ok(Answer::text(super::property::time(call.now))),
        "SessionIsActive" => Ok(Answer::text(is_active(call).to_string())),
        "FindByInventoryPath" => lookup::by_path(call),
        "FindByUuid" => lookup::by_uuid(call),
        "FindAllByUuid" => lookup::all_by_uuid(call),
        "CreateFolder" => folder::create(call),
        "MoveIntoFolder_Task" => folder::move_into(call),
        "Rename_Task" => folder::rename(call),
        "Destroy_Task" => folder::destroy(call),
        "CloneVM_Task" => clone::clone(call),
        "ReconfigVM_Task" => reconfigure::reconfigure(call),
        "UpgradeVM_Task" => power::upgrade(call),
        "PowerOnVM_Task" => power::on(call),
        "PowerOffVM_Task" => power::off(call),
        "ShutdownGuest" => power::shutdown(call),
        "AnswerVM" => question::answer(call),
        "CancelTask" => task::cancel(call),
        "ReconfigureComputeResource_Task" => rule::reconfigure(call),
        "AddAuthorizationRole" => role::add(call),
        "UpdateAuthorizationRole" => role::update(call),
        "RemoveAuthorizationRole" => role::remove(call),
        "SetEntityPermissions" => permission::set(call),
        "RetrieveEntityPermissions" => permission::of_entity(call),
        "RetrieveAllPermissions" => permission::all(call),
        "RemoveEntityPermission" => permission::remove(call),
        "HasPrivilegeOnEntities" => permission::has_privileges(call),
        "HasUserPrivilegeOnEntities" => permission::has_user_privileges(call),
        other => Err(Fault::unsimulated(&format!("the method {other}"))),
    }
}

fn is_active(call: &Call<'_>) -> bool {
    let session = call.world.sessions.get(call.text("sessionID"));
    session.is_some_and(|session| session.principal == ids::principal(call.text("userName")))
}
