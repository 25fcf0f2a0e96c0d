//! Reading by views, pages and filters: what a session has open, and nothing that outlives the
//! process.

use std::collections::BTreeMap;

use crate::xml::Element;

use super::answer::Answer;
use super::call::{Call, flag, number};
use super::collector::{Selected, View, content, fetch, select};
use super::fault::Fault;
use super::filter::Filters;
use super::ids;
use super::schema::SCHEMA;
use super::world::Ref;

/// Open views, pages and filters.
#[derive(Default)]
pub(super) struct Reading {
    /// By view id.
    views: BTreeMap<String, View>,
    /// What is still to be sent, by token.
    pages: BTreeMap<String, Page>,
    filters: Filters,
    /// Numbers views and pages.
    serial: u64,
}

/// The rest of a paged answer.
struct Page {
    session: String,
    rest: Vec<Selected>,
    size: usize,
}

impl Reading {
    /// Answers a method of views or of the property collector; `None` for any other.
    pub(super) fn answer(&mut self, call: &Call<'_>) -> Option<Result<Answer, Fault>> {
        Some(match call.body.name.as_str() {
            "CreateContainerView" => self.create_view(call),
            "DestroyView" => self.destroy_view(call),
            "RetrieveProperties" => self.retrieve_all(call),
            "RetrievePropertiesEx" => self.retrieve(call),
            "ContinueRetrievePropertiesEx" => {
                self.take(call).and_then(|page| self.page(call, page.rest, page.size))
            }
            "CancelRetrievePropertiesEx" => self.take(call).map(|_| Answer::default()),
            "CreateFilter" => self.filters.create(call, &self.views),
            "DestroyPropertyFilter" => self.filters.destroy(call),
            "CheckForUpdates" | "WaitForUpdates" | "WaitForUpdatesEx" => {
                self.filters.updates(call, &self.views)
            }
            "Fetch" => fetch(call, &self.views),
            _ => return None,
        })
    }

    /// Closes what a session had open.
    pub(super) fn forget(&mut self, session: &str) {
        self.views.retain(|_, view| view.session != session);
        self.pages.retain(|_, page| page.session != session);
        self.filters.forget(session);
    }

    fn create_view(&mut self, call: &Call<'_>) -> Result<Answer, Fault> {
        let container = call.object("container").ok_or_else(|| Fault::argument("container"))?;
        let container = call.find(&container)?.id.clone();
        let types = call.body.children_named("type").map(|class| class.text.clone());
        let types: Vec<String> = types.collect();
        if !types.iter().all(|class| SCHEMA.is_managed(class)) {
            return Err(Fault::argument("type"));
        }
        self.serial += 1;
        let session = call.session.key.clone();
        let uuid = ids::uuid(call.world.seed, "52", &["view", &session, &self.serial.to_string()]);
        let id = format!("session[{session}]{uuid}");
        let recursive = flag(call.body, "recursive").unwrap_or(false);
        self.views.insert(id.clone(), View { session, container, types, recursive });
        Ok(Answer::object(&Ref::new("ContainerView", &id)))
    }

    fn destroy_view(&mut self, call: &Call<'_>) -> Result<Answer, Fault> {
        let view = self.views.get(&call.this.id);
        view.filter(|view| view.session == call.session.key)
            .ok_or_else(|| Fault::gone(&call.this))?;
        self.views.remove(&call.this.id);
        Ok(Answer::default())
    }

    fn retrieve_all(&self, call: &Call<'_>) -> Result<Answer, Fault> {
        let mut returned = Vec::new();
        for selected in select(call, &specs(call), &self.views)? {
            returned.extend(content(call, &selected, "returnval")?);
        }
        Ok(Answer::values(returned))
    }

    fn retrieve(&mut self, call: &Call<'_>) -> Result<Answer, Fault> {
        let found = select(call, &specs(call), &self.views)?;
        let most = call.settings.page_size;
        let options = call.body.child("options");
        let size = match options.and_then(|options| number(options, "maxObjects")) {
            None => most,
            Some(wanted) if wanted > 0 => usize::try_from(wanted).unwrap_or(most).min(most),
            Some(_) => return Err(Fault::argument("options.maxObjects")),
        };
        self.page(call, found, size)
    }

    /// Takes the page of a token: it works once, and only for the session it was given to.
    fn take(&mut self, call: &Call<'_>) -> Result<Page, Fault> {
        let token = call.text("token");
        let own = self.pages.get(token).is_some_and(|page| page.session == call.session.key);
        let page = if own { self.pages.remove(token) } else { None };
        page.ok_or_else(|| Fault::argument("token"))
    }

    /// The first page of what was selected; the rest waits under a new token.
    fn page(
        &mut self,
        call: &Call<'_>,
        mut found: Vec<Selected>,
        size: usize,
    ) -> Result<Answer, Fault> {
        let rest = found.split_off(size.min(found.len()));
        let mut result = Element::new("returnval");
        if !rest.is_empty() {
            self.serial += 1;
            let session = call.session.key.clone();
            let token = format!("{session}-{}", self.serial);
            result = result.push(Element::with_text("token", &token));
            self.pages.insert(token, Page { session, rest, size });
        }
        for selected in &found {
            result = result.extend(content(call, selected, "objects")?);
        }
        let empty = result.children.is_empty();
        Ok(if empty { Answer::default() } else { Answer::value(result) })
    }
}

fn specs<'a>(call: &Call<'a>) -> Vec<&'a Element> {
    call.body.children_named("specSet").collect()
}
