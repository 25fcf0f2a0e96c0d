//! XML as a small generic tree, for SOAP: names are resolved by namespace when read, and text is
//! escaped when written. Attribute and namespace prefixes differ between servers, so nothing here
//! matches on a prefix.

use quick_xml::XmlVersion;
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

/// The namespace of `xsi:type` and `xsi:nil`.
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// The namespace of the SOAP 1.1 envelope.
pub const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// The namespace of vSphere's own types and methods.
pub const VIM25: &str = "urn:vim25";

/// The largest document that is read: a page of 100 VMs with all devices is below 2 MiB.
const SIZE_MAX: usize = 64 << 20;
/// The deepest tree that is read: real vim25 answers stay below 30.
const DEPTH_MAX: usize = 128;

/// Why a text is not usable XML.
#[derive(Debug, thiserror::Error)]
pub enum XmlError {
    /// The text is not well-formed.
    #[error("read XML at byte {at}: {message}")]
    Malformed {
        /// Byte offset into the text.
        at: u64,
        /// The reader's own words.
        message: String,
    },
    /// A limit that keeps a hostile or broken peer from using all memory.
    #[error("read XML: {what} exceeds the limit of {limit}")]
    TooLarge {
        /// What was too large: the document's bytes or the tree's depth.
        what: &'static str,
        /// The limit in that unit.
        limit: usize,
    },
    /// Document type definitions are never needed in SOAP and can expand without bound.
    #[error("read XML: a document type definition is not accepted")]
    Doctype,
    /// The text ends without a complete root element, or holds more than one.
    #[error("read XML: expected exactly one root element")]
    Root,
}

/// One element: name, attributes, child elements, and the text directly inside it.
///
/// Comments and processing instructions are dropped. White space between children is dropped;
/// the text of an element without children is kept exactly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// The local name.
    pub name: String,
    /// The namespace's URI; `None` where none is in force, and on elements built to be written.
    pub namespace: Option<String>,
    /// In document order, namespace declarations left out.
    pub attributes: Vec<Attribute>,
    /// In document order.
    pub children: Vec<Element>,
    /// All text and CDATA directly inside, joined.
    pub text: String,
}

/// One attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The local name.
    pub name: String,
    /// The namespace's URI; `None` for an attribute without a prefix.
    pub namespace: Option<String>,
    /// The value with entities resolved.
    pub value: String,
}

impl Element {
    /// Reads a document.
    ///
    /// # Errors
    /// `Malformed` (also for an unknown entity or an undeclared prefix), `TooLarge`, `Doctype`
    /// and `Root` as described there.
    pub fn parse(text: &str) -> Result<Self, XmlError> {
        if text.len() > SIZE_MAX {
            return Err(XmlError::TooLarge { what: "the document's bytes", limit: SIZE_MAX });
        }
        let mut reader = NsReader::from_str(text);
        let mut tree = Tree::default();
        loop {
            let event = reader.read_event();
            let at = reader.buffer_position();
            let malformed = |message: String| XmlError::Malformed { at, message };
            match event.map_err(|error| malformed(error.to_string()))? {
                Event::Start(start) => {
                    tree.open(element(&reader, &start).map_err(malformed)?)?;
                }
                Event::Empty(start) => {
                    tree.open(element(&reader, &start).map_err(malformed)?)?;
                    tree.close()?;
                }
                Event::End(_) => tree.close()?,
                Event::Text(text) => tree.text(&text.xml10_content())?,
                Event::CData(text) => tree.text(&text.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let character = reference
                        .resolve_char_ref()
                        .map_err(|error| malformed(error.to_string()))?
                        .or_else(|| predefined(&reference.xml10_content()))
                        .ok_or_else(|| malformed("unknown entity".to_owned()))?;
                    tree.text(character.encode_utf8(&mut [0; 4]))?;
                }
                Event::DocType(_) => return Err(XmlError::Doctype),
                Event::Eof => return tree.finish(),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
    }

    /// Starts an element to be written.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Starts an element that holds only text.
    pub fn with_text(name: &str, text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::new(name) }
    }

    /// Adds an attribute. The prefix `xsi:` stands for its namespace; any other name (`xmlns` and
    /// `xmlns:…` too) is written as given.
    #[must_use]
    pub fn attr(mut self, name: &str, value: impl Into<String>) -> Self {
        let (name, namespace) = match name.strip_prefix("xsi:") {
            Some(local) => (local, Some(XSI.to_owned())),
            None => (name, None),
        };
        self.attributes.push(Attribute { name: name.to_owned(), namespace, value: value.into() });
        self
    }

    /// Adds a child at the end.
    #[must_use]
    pub fn push(mut self, child: Element) -> Self {
        self.children.push(child);
        self
    }

    /// Adds children at the end.
    #[must_use]
    pub fn extend(mut self, children: impl IntoIterator<Item = Element>) -> Self {
        self.children.extend(children);
        self
    }

    /// The first child of that local name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of that local name, in order.
    pub fn children_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of that local name.
    pub fn child_text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    /// The value of an attribute without a namespace, such as `type` of a managed object reference.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| attribute.namespace.is_none() && attribute.name == name)
            .map(|attribute| attribute.value.as_str())
    }

    /// The local part of `xsi:type`: `string` for `xsd:string`.
    pub fn xsi_type(&self) -> Option<&str> {
        let value = self
            .attributes
            .iter()
            .find(|a| a.name == "type" && a.namespace.as_deref() == Some(XSI))?;
        let value = value.value.trim();
        Some(value.rsplit_once(':').map_or(value, |(_, local)| local))
    }

    /// Writes the element, without an XML declaration. Characters that XML cannot hold (most
    /// control characters) become U+FFFD.
    pub fn to_xml(&self) -> String {
        let mut out = String::new();
        write(self, &mut out);
        out
    }
}

/// Wraps a method call, an answer or a fault into a whole SOAP 1.1 document.
///
/// The body element gets vim25 as its default namespace unless it already declares one; the
/// prefixes `soapenv`, `xsd` and `xsi` are declared on the envelope.
pub fn envelope(body: Element) -> String {
    enveloped(None, body)
}

/// The same with a header.
pub fn envelope_with(header: Element, body: Element) -> String {
    enveloped(Some(Element::new("soapenv:Header").push(header)), body)
}

fn enveloped(header: Option<Element>, body: Element) -> String {
    let declared = body.attribute("xmlns").is_some() || body.name.contains(':');
    let body = if declared { body } else { body.attr("xmlns", VIM25) };
    let envelope = Element::new("soapenv:Envelope")
        .attr("xmlns:soapenv", SOAP)
        .attr("xmlns:xsd", "http://www.w3.org/2001/XMLSchema")
        .attr("xmlns:xsi", XSI)
        .extend(header)
        .push(Element::new("soapenv:Body").push(body));
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", envelope.to_xml())
}

/// Elements that are open while reading, outermost first, and the root once it is closed.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
}

impl Tree {
    fn open(&mut self, element: Element) -> Result<(), XmlError> {
        if self.root.is_some() {
            return Err(XmlError::Root);
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(XmlError::TooLarge { what: "the depth of elements", limit: DEPTH_MAX });
        }
        self.open.push(element);
        Ok(())
    }

    fn close(&mut self) -> Result<(), XmlError> {
        let mut element = self.open.pop().ok_or(XmlError::Root)?;
        if !element.children.is_empty() && element.text.trim().is_empty() {
            element.text.clear();
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().trim_start_matches('\u{feff}').is_empty() => {}
            None => return Err(XmlError::Root),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, XmlError> {
        if !self.open.is_empty() {
            return Err(XmlError::Root);
        }
        self.root.ok_or(XmlError::Root)
    }
}

fn element(reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<Element, String> {
    let (bound, local) = reader.resolver().resolve_element(start.name());
    let mut element = Element::new(local.into_inner());
    element.namespace = namespace(bound)?;
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let (bound, local) = reader.resolver().resolve_attribute(attribute.key);
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| error.to_string())?;
        element.attributes.push(Attribute {
            name: local.into_inner().to_owned(),
            namespace: namespace(bound)?,
            value: value.into_owned(),
        });
    }
    Ok(element)
}

fn namespace(bound: ResolveResult<'_>) -> Result<Option<String>, String> {
    match bound {
        ResolveResult::Unbound => Ok(None),
        ResolveResult::Bound(namespace) => Ok(Some(namespace.into_inner().to_owned())),
        ResolveResult::Unknown(prefix) => Err(format!("undeclared prefix {prefix}")),
    }
}

fn predefined(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => None,
    }
}

fn write(element: &Element, out: &mut String) {
    out.push('<');
    out.push_str(&element.name);
    for attribute in &element.attributes {
        out.push(' ');
        if attribute.namespace.as_deref() == Some(XSI) {
            out.push_str("xsi:");
        }
        out.push_str(&attribute.name);
        out.push_str("=\"");
        // A reader would turn a raw line break or tab in an attribute into a space.
        let value = escape(legal(&attribute.value));
        out.push_str(&value.replace('\n', "&#10;").replace('\t', "&#9;"));
        out.push('"');
    }
    if element.children.is_empty() && element.text.is_empty() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    out.push_str(&escape(legal(&element.text)));
    for child in &element.children {
        write(child, out);
    }
    out.push_str("</");
    out.push_str(&element.name);
    out.push('>');
}

fn legal(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' => c,
            '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
            _ => c,
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn refuse(text: &str, expected: &str) {
        let error = Element::parse(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn names_are_resolved_by_namespace_not_prefix() {
        let tree = Element::parse(
            "<?xml version='1.0'?><a:Envelope xmlns:a='urn:soap' xmlns:i='http://www.w3.org/2001/XMLSchema-instance'>\
             <val xmlns='urn:vim25' i:type='ManagedObjectReference' type='HostSystem'>host-9</val></a:Envelope>",
        )
        .unwrap();
        let val = tree.child("val").unwrap();
        assert_eq!(tree.namespace.as_deref(), Some("urn:soap"));
        assert_eq!(val.namespace.as_deref(), Some(VIM25));
        assert_eq!(val.xsi_type(), Some("ManagedObjectReference"));
        assert_eq!(val.attribute("type"), Some("HostSystem"));
        assert_eq!(tree.child_text("val"), Some("host-9"));
    }

    #[test]
    fn text_survives_a_round_trip() {
        for text in ["a < b & c > \"d\" 'e'", " padded\t\r\n", "é \u{1F600}", "]]>"] {
            let written = Element::with_text("v", text).attr("k", text).to_xml();
            let read = Element::parse(&written).unwrap();
            assert_eq!((read.text.as_str(), read.attribute("k")), (text, Some(text)));
        }
        assert_eq!(Element::with_text("v", "a\u{1}b").to_xml(), "<v>a\u{fffd}b</v>");
    }

    #[test]
    fn entities_cdata_and_blanks_between_children() {
        let tree =
            Element::parse("<a>\n <b>&lt;&#65;&#x42;<![CDATA[<&>]]></b><!-- no -->\n</a>").unwrap();
        assert_eq!(tree.child_text("b"), Some("<AB<&>"));
        assert_eq!(tree.text, "");
    }

    #[test]
    fn the_envelope_reads_back() {
        let call = Element::new("Login").push(Element::with_text("userName", "a&b"));
        let tree = Element::parse(&envelope(call)).unwrap();
        let login = tree.child("Body").and_then(|body| body.child("Login")).unwrap();
        assert_eq!(tree.namespace.as_deref(), Some(SOAP));
        assert_eq!(login.namespace.as_deref(), Some(VIM25));
        assert_eq!(login.child("userName").unwrap().namespace.as_deref(), Some(VIM25));
    }

    #[test]
    fn broken_and_hostile_documents_are_refused() {
        refuse("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "document type");
        refuse("<a>&x;</a>", "unknown entity");
        refuse("<a><b></a>", "at byte");
        refuse("<a>", "one root");
        refuse("<a/><b/>", "one root");
        refuse("", "one root");
        refuse("<x:a/>", "undeclared prefix");
        refuse(&"<a>".repeat(1000), "depth");
    }
}
