//! Reading properties of many objects with few requests: container views and the
//! PropertyCollector, in one answer or page by page.

use super::failure::Failure;
use super::fault::Fault;
use super::moref::MoRef;
use super::session::{Open, Session};
use crate::xml::Element;

/// One object with the properties that were asked for and are set.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which object.
    pub object: MoRef,
    /// Path and value.
    properties: Vec<(String, Element)>,
    /// Path and reason of what could not be read.
    pub missing: Vec<(String, Fault)>,
}

/// Asked for in one page. vCenter sends about 100 all the same.
const PAGE: &str = "5000";

impl Row {
    /// A property's value. `None` where it is not set on the object.
    pub fn get(&self, path: &str) -> Option<&Element> {
        self.properties.iter().find(|(name, _)| name == path).map(|(_, value)| value)
    }

    /// A property's text, without blanks around it.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.get(path).map(|value| value.text.trim())
    }

    /// A property's number.
    pub fn number(&self, path: &str) -> Option<u64> {
        self.text(path)?.parse().ok()
    }

    /// A property that refers to one object.
    pub fn moref(&self, path: &str) -> Option<MoRef> {
        self.get(path).and_then(MoRef::of)
    }

    /// A property that lists objects.
    pub fn morefs(&self, path: &str) -> Vec<MoRef> {
        let list = self.get(path);
        list.into_iter().flat_map(|list| list.children.iter().filter_map(MoRef::of)).collect()
    }

    /// Reads an `ObjectContent`. `None` where it names no object.
    pub fn of(element: &Element) -> Option<Self> {
        let property =
            |set: &Element| Some((set.child_text("name")?.to_owned(), set.child("val")?.clone()));
        let missing = |set: &Element| {
            Some((set.child_text("path")?.to_owned(), Fault::of_localized(set.child("fault")?)))
        };
        Some(Self {
            object: MoRef::child(element, "obj")?,
            properties: element.children_named("propSet").filter_map(property).collect(),
            missing: element.children_named("missingSet").filter_map(missing).collect(),
        })
    }
}

/// What to read: properties per type, and the objects to begin at.
#[derive(Clone, Debug, Default)]
pub struct Query {
    properties: Vec<Element>,
    objects: Vec<Element>,
}

impl Query {
    /// Asks for properties of all objects of a type that are reached.
    pub fn properties(mut self, kind: &str, paths: &[&str]) -> Self {
        let set = Element::new("propSet")
            .push(Element::with_text("type", kind))
            .push(Element::with_text("all", "false"))
            .extend(paths.iter().map(|path| Element::with_text("pathSet", *path)));
        self.properties.push(set);
        self
    }

    /// Begins at an object and goes on from there along the selections.
    pub fn object(mut self, object: &MoRef, selections: Vec<Element>) -> Self {
        let set = Element::new("objectSet")
            .push(object.element("obj"))
            .push(Element::with_text("skip", "false"))
            .extend(selections);
        self.objects.push(set);
        self
    }

    fn view(mut self, view: &MoRef) -> Self {
        let set = Element::new("objectSet")
            .push(view.element("obj"))
            .push(Element::with_text("skip", "true"))
            .push(traversal("view", "ContainerView", "view", &[]));
        self.objects.push(set);
        self
    }

    fn whole(self, collector: &MoRef) -> Element {
        collector.call("RetrieveProperties").push(self.spec())
    }

    fn paged(self, collector: &MoRef) -> Element {
        collector
            .call("RetrievePropertiesEx")
            .push(self.spec())
            .push(Element::new("options").push(Element::with_text("maxObjects", PAGE)))
    }

    fn spec(self) -> Element {
        Element::new("specSet").extend(self.properties).extend(self.objects)
    }
}

/// Goes from objects of a type along one of their properties, and on by selections of the given
/// names (its own for a whole chain).
pub fn traversal(name: &str, kind: &str, path: &str, then: &[&str]) -> Element {
    let selection = |name: &&str| {
        Element::new("selectSet")
            .attr("xsi:type", "SelectionSpec")
            .push(Element::with_text("name", *name))
    };
    Element::new("selectSet")
        .attr("xsi:type", "TraversalSpec")
        .push(Element::with_text("name", name))
        .push(Element::with_text("type", kind))
        .push(Element::with_text("path", path))
        .push(Element::with_text("skip", "false"))
        .extend(then.iter().map(selection))
}

/// Reads everything a query reaches in one answer, however many objects that are.
///
/// A real vCenter cuts pages at about 100 objects whatever is asked for (ManageIQ pull request
/// 8211; `WaitForUpdatesEx` likewise, govmomi's simulator/property_collector.go), so 1,000 VMs
/// would be ten requests, each after the other. `RetrieveProperties` has no pages. It is deprecated
/// since API 4.1 but part of 7.0, which boma speaks; govmomi read with it until 2024 (pull request
/// 3408) and left it to bound memory, which here the narrow queries do. Where a vCenter does not
/// know it any more, pages are read.
///
/// # Errors
/// Any [`Failure`]; `ManagedObjectNotFound` where an object to begin at is gone.
pub async fn retrieve_whole(session: &Session, query: Query) -> Result<Vec<Row>, Failure> {
    let collector = session.open().await?.content.property_collector.clone();
    match session.ask(query.clone().whole(&collector)).await {
        Ok(answer) => Ok(answer.children_named("returnval").filter_map(Row::of).collect()),
        Err(failure) if failure.fault().is_some_and(Fault::is_unknown_method) => {
            retrieve(session, query).await
        }
        Err(failure) => Err(failure),
    }
}

/// Reads everything a query reaches, page by page.
///
/// # Errors
/// Any [`Failure`]; `ManagedObjectNotFound` where an object to begin at is gone.
pub async fn retrieve(session: &Session, query: Query) -> Result<Vec<Row>, Failure> {
    let open = session.open().await?;
    match pages(session, query.clone()).await {
        // Tokens end with their session; the next one begins anew.
        Err(_) if !session.is_same(&open).await => pages(session, query).await,
        outcome => outcome,
    }
}

async fn pages(session: &Session, query: Query) -> Result<Vec<Row>, Failure> {
    let collector = session.open().await?.content.property_collector.clone();
    let mut answer = session.ask(query.paged(&collector)).await?;
    let mut rows = Vec::new();
    loop {
        // No result at all is how vCenter says that nothing was reached.
        let Some(result) = answer.child("returnval") else { return Ok(rows) };
        rows.extend(result.children_named("objects").filter_map(Row::of));
        let Some(token) = result.child_text("token").filter(|token| !token.is_empty()) else {
            return Ok(rows);
        };
        // A token is good for one call, so a lost answer cannot be asked for again.
        answer = session
            .call(
                collector
                    .call("ContinueRetrievePropertiesEx")
                    .push(Element::with_text("token", token)),
            )
            .await?;
    }
}

/// Reads properties of one object.
///
/// # Errors
/// Any [`Failure`]; `ManagedObjectNotFound` where it is gone.
pub async fn retrieve_one(
    session: &Session,
    object: &MoRef,
    paths: &[&str],
) -> Result<Row, Failure> {
    let query = Query::default().properties(&object.kind, paths).object(object, Vec::new());
    let rows = retrieve(session, query).await?;
    let row = rows.into_iter().find(|row| row.object == *object);
    row.ok_or_else(|| Failure::missing("RetrievePropertiesEx", &object.to_string()))
}

/// A view that was made for one reading, to be given back.
pub struct View {
    reference: MoRef,
    opened: Open,
}

impl View {
    /// Gives it back. One that stays behind ends with its session, so this is worth no failure.
    pub async fn end(self, session: &Session) {
        if session.is_same(&self.opened).await {
            let _ = session.call(self.reference.call("DestroyView")).await;
        }
    }
}

/// Reads all objects of some types below the root folder, and what else the query begins at. The
/// view is the caller's to end, beside whatever comes next: nothing has to wait for that.
///
/// # Errors
/// Any [`Failure`].
pub async fn retrieve_all(
    session: &Session,
    kinds: &[&str],
    query: Query,
) -> Result<(Vec<Row>, View), Failure> {
    let open = session.open().await?;
    match through_view(session, kinds, query.clone()).await {
        // Views end with their session, whoever it was that noticed its end; the next one has its
        // own.
        Err(_) if !session.is_same(&open).await => through_view(session, kinds, query).await,
        outcome => outcome,
    }
}

async fn through_view(
    session: &Session,
    kinds: &[&str],
    query: Query,
) -> Result<(Vec<Row>, View), Failure> {
    let open = session.open().await?;
    let content = &open.content;
    let create = create_view(&content.view_manager, &content.root_folder, kinds);
    let answer = session.ask(create).await?;
    let reference = MoRef::child(&answer, "returnval")
        .ok_or_else(|| Failure::missing("CreateContainerView", "view"))?;
    let rows = retrieve_whole(session, query.view(&reference)).await;
    let view = View { reference, opened: open };
    match rows {
        Ok(rows) => Ok((rows, view)),
        Err(failure) => {
            view.end(session).await;
            Err(failure)
        }
    }
}

fn create_view(manager: &MoRef, container: &MoRef, kinds: &[&str]) -> Element {
    manager
        .call("CreateContainerView")
        .push(container.element("container"))
        .extend(kinds.iter().map(|kind| Element::with_text("type", *kind)))
        .push(Element::with_text("recursive", "true"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn names(element: &Element) -> Vec<&str> {
        element.children.iter().map(|child| child.name.as_str()).collect()
    }

    #[test]
    fn requests_follow_the_order_of_the_wsdl() {
        let vm = MoRef::new("VirtualMachine", "vm-1");
        let query = Query::default()
            .properties("VirtualMachine", &["name", "parent"])
            .object(&vm, vec![traversal("up", "ManagedEntity", "parent", &["up"])]);
        let collector = MoRef::new("PropertyCollector", "propertyCollector");
        assert_eq!(names(&query.clone().whole(&collector)), ["_this", "specSet"]);
        let call = query.paged(&collector);
        assert_eq!(names(&call), ["_this", "specSet", "options"]);
        let spec = call.child("specSet").unwrap();
        assert_eq!(names(spec), ["propSet", "objectSet"]);
        assert_eq!(names(spec.child("propSet").unwrap()), ["type", "all", "pathSet", "pathSet"]);
        let object = spec.child("objectSet").unwrap();
        assert_eq!(names(object), ["obj", "skip", "selectSet"]);
        let selection = object.child("selectSet").unwrap();
        assert_eq!(names(selection), ["name", "type", "path", "skip", "selectSet"]);
        assert_eq!(selection.xsi_type(), Some("TraversalSpec"));
        let view = create_view(
            &MoRef::new("ViewManager", "ViewManager"),
            &MoRef::new("Folder", "group-d1"),
            &["VirtualMachine"],
        );
        assert_eq!(names(&view), ["_this", "container", "type", "recursive"]);
    }

    #[test]
    fn rows_hold_values_and_what_could_not_be_read() {
        let text = r#"<objects xmlns="urn:vim25" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
            <obj type="VirtualMachine">vm-42</obj>
            <propSet><name>name</name><val xsi:type="xsd:string">server-1</val></propSet>
            <propSet><name>config.hardware.numCPU</name><val xsi:type="xsd:int">4</val></propSet>
            <propSet><name>parent</name><val type="Folder" xsi:type="ManagedObjectReference">group-v3</val></propSet>
            <propSet><name>datastore</name><val xsi:type="ArrayOfManagedObjectReference"><ManagedObjectReference type="Datastore" xsi:type="ManagedObjectReference">datastore-9</ManagedObjectReference></val></propSet>
            <missingSet><path>config</path><fault><fault xsi:type="NoPermission"><object type="VirtualMachine">vm-42</object><privilegeId>System.Read</privilegeId></fault><localizedMessage/></fault></missingSet>
        </objects>"#;
        let row = Row::of(&Element::parse(text).unwrap()).unwrap();
        assert_eq!(row.text("name"), Some("server-1"));
        assert_eq!(row.number("config.hardware.numCPU"), Some(4));
        assert_eq!(row.moref("parent"), Some(MoRef::new("Folder", "group-v3")));
        assert_eq!(row.morefs("datastore"), [MoRef::new("Datastore", "datastore-9")]);
        assert_eq!(row.text("guest.ipAddress"), None);
        assert_eq!(row.missing.len(), 1);
    }
}
