//! Reading what a client sends: strictly where it asks for that.

use serde_json::{Value as Json, json};

use super::call::Call;
use super::check::{self, Misfit, misfits, prune};
use super::refusal::Refusal;

/// An object that has the shape of its kind.
pub(super) struct Body {
    pub object: Json,
}

/// Reads a whole object.
///
/// # Errors
/// 400 for what is no object of the kind, 415 for another encoding than JSON.
pub(super) fn read(call: &Call<'_>) -> Result<Body, Refusal> {
    let media = call.request.content_type.split(';').next().unwrap_or_default().trim();
    if !["application/json", ""].contains(&media) {
        return Err(Refusal::media_type(media));
    }
    let (object, twice) = check::read(&call.request.body).map_err(|error| {
        let text = format!(
            "{} in version \"{}\" cannot be handled as a {}: {error}",
            call.resource.kind, call.resource.version, call.resource.kind
        );
        Refusal::bad_request(text)
    })?;
    if !object.is_object() {
        let message = "the object provided is unrecognized (must be of type Object)";
        return Err(Refusal::bad_request(message));
    }
    check(call, object, twice)
}

/// Checks an object against its kind's shape, and takes away what the kind does not know.
///
/// # Errors
/// 400 for a wrong type, and under strict validation for fields that are unknown or stand twice.
pub(super) fn check(
    call: &Call<'_>,
    mut object: Json,
    twice: Vec<String>,
) -> Result<Body, Refusal> {
    kind(call, &object)?;
    let found = misfits(&object, &call.resource.shape);
    if let Some(Misfit { path, wrong: Some((want, got)), .. }) =
        found.iter().find(|misfit| misfit.wrong.is_some())
    {
        let resource = &call.resource;
        let text = if resource.custom {
            format!(
                "{}.{} \"{}\" is invalid: {path}: Invalid value: \"{got}\": {path} in body must be of type {want}: \"{got}\"",
                resource.kind,
                resource.group,
                object["metadata"]["name"].as_str().unwrap_or_default()
            )
        } else {
            format!(
                "{} in version \"{}\" cannot be handled as a {}: json: cannot unmarshal {got} into Go struct field .{path} of type {want}",
                resource.kind, resource.version, resource.kind
            )
        };
        let code = if resource.custom { 422 } else { 400 };
        let reason = if resource.custom { "Invalid" } else { "BadRequest" };
        return Err(Refusal::new(code, reason, text));
    }
    if call.query.get("fieldValidation") == "Strict" {
        let unknown = found.iter().map(|misfit| format!("unknown field \"{}\"", misfit.path));
        let twice = twice.iter().map(|path| format!("duplicate field \"{path}\""));
        let all: Vec<String> = unknown.chain(twice).collect();
        if !all.is_empty() {
            let text = format!("strict decoding error: {}", all.join(", "));
            return Err(strict(call, &text));
        }
    }
    prune(&mut object, &call.resource.shape);
    Ok(Body { object })
}

fn strict(call: &Call<'_>, text: &str) -> Refusal {
    let resource = &call.resource;
    Refusal::bad_request(if resource.custom {
        text.to_owned()
    } else {
        format!(
            "{} in version \"{}\" cannot be handled as a {}: {text}",
            resource.kind, resource.version, resource.kind
        )
    })
}

/// Whether the body is of the kind that the path means; nothing said is right.
fn kind(call: &Call<'_>, object: &Json) -> Result<(), Refusal> {
    let text = |key: &str| object[key].as_str().unwrap_or_default();
    let (api, kind) = (text("apiVersion"), text("kind"));
    if !api.is_empty() && api != call.api {
        return Err(Refusal::bad_request(format!(
            "the API version in the data ({api}) does not match the expected API version ({})",
            call.api
        )));
    }
    if !kind.is_empty() && kind != call.resource.kind {
        return Err(Refusal::bad_request(format!(
            "{kind} in version \"{}\" cannot be handled as a {}: no kind \"{kind}\" is registered for the path",
            call.resource.version, call.resource.kind
        )));
    }
    Ok(())
}

/// Fills in name and namespace from the path, and refuses others. An empty name in the path says
/// nothing about the body's.
///
/// # Errors
/// 400 for another name or namespace than the path's.
pub(super) fn address(call: &Call<'_>, object: &mut Json, name: &str) -> Result<(), Refusal> {
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    let text =
        |object: &Json, key: &str| object["metadata"][key].as_str().unwrap_or_default().to_owned();
    let own = text(object, "name");
    if !name.is_empty() {
        if own.is_empty() && call.request.method == "PUT" {
            let message = "the name of the object is required, name in the data must not be empty";
            return Err(Refusal::bad_request(message));
        }
        if !own.is_empty() && own != name {
            return Err(Refusal::bad_request(format!(
                "the name of the object ({own}) does not match the name on the URL ({name})"
            )));
        }
        object["metadata"]["name"] = json!(name);
    } else if own.is_empty() && text(object, "generateName").is_empty() {
        let problem = super::refusal::Problem::required("metadata.name");
        let mut refusal = call.invalid("", &[problem]);
        refusal.message = refusal
            .message
            .replace("Required value", "Required value: name or generateName is required");
        return Err(refusal);
    }
    let place = text(object, "namespace");
    let wanted = &call.target.namespace;
    if call.resource.namespaced {
        if !place.is_empty() && place != *wanted {
            let message = "the namespace of the provided object does not match the namespace sent on the request";
            return Err(Refusal::bad_request(message));
        }
        object["metadata"]["namespace"] = json!(wanted);
    } else if let Some(meta) = object["metadata"].as_object_mut() {
        meta.remove("namespace");
    }
    Ok(())
}

/// Reads what somebody applies.
///
/// # Errors
/// 400 and, for fields that the kind has not, 500 with the words of the server's typed merge.
pub(super) fn configuration(call: &Call<'_>) -> Result<Json, Refusal> {
    let (mut object, twice) = check::read(&call.request.body)
        .map_err(|error| Refusal::bad_request(format!("error decoding YAML: {error}")))?;
    kind(call, &object)?;
    for field in ["apiVersion", "kind"] {
        if object[field].is_null() {
            let message =
                format!("Object '{field}' is missing in '{object}'", field = capital(field));
            return Err(Refusal::bad_request(message));
        }
    }
    if object["metadata"].get("managedFields").is_some_and(|managed| !managed.is_null()) {
        return Err(Refusal::bad_request("metadata.managedFields must be nil"));
    }
    let gvknn = |call: &Call<'_>| {
        format!(
            "{}/{}; {}, Kind={}",
            call.target.namespace, call.target.name, call.api, call.resource.kind
        )
    };
    let found = misfits(&object, &call.resource.shape);
    if !found.is_empty() {
        let lines: Vec<String> = found
            .iter()
            .map(|misfit| match misfit.wrong {
                None => format!("{}: field not declared in schema", misfit.typed),
                Some((want, got)) => format!("{}: expected {want}, got {got}", misfit.typed),
            })
            .collect();
        let said = if let [one] = lines.as_slice() {
            one.clone()
        } else {
            let lines: Vec<String> = lines.iter().map(|line| format!("  {line}")).collect();
            format!("errors:\n{}", lines.join("\n"))
        };
        let message = format!("failed to create typed patch object ({}): {said}", gvknn(call));
        return Err(Refusal::new(500, "", message));
    }
    if call.query.get("fieldValidation") == "Strict"
        && let Some(path) = twice.first()
    {
        let key = path.rsplit('.').next().unwrap_or(path);
        let message = format!("error strict decoding YAML: key \"{key}\" already set in map");
        return Err(Refusal::bad_request(message));
    }
    repeated(call, &object, &gvknn(call))?;
    prune(&mut object, &call.resource.shape);
    address(call, &mut object, &call.target.name)?;
    Ok(object)
}

fn capital(field: &str) -> &str {
    if field == "kind" { "Kind" } else { field }
}

/// Items of a list by keys may not have the same keys.
fn repeated(call: &Call<'_>, object: &Json, gvknn: &str) -> Result<(), Refusal> {
    let Some(path) = check::repeated(object, &call.resource.shape, String::new()) else {
        return Ok(());
    };
    let message = format!(
        "failed to create typed patch object ({gvknn}): {path}: duplicate entries for key {}",
        path.rsplit_once('[').map_or("", |(_, key)| key).trim_end_matches(']')
    );
    Err(Refusal::new(500, "", message))
}
