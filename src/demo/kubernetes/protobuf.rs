//! Bodies that some tools send as Protocol Buffers: reviews, evictions, delete options; nothing else is read.
//!
//! Every body is an envelope: four bytes, then a message with the type (1) and the object (2).

use serde_json::{Value, json};

/// Begin of every body.
const MAGIC: &[u8] = b"k8s\0";

/// A field: its number, and its bytes or its number's value.
enum Field<'a> {
    Bytes(u64, &'a [u8]),
    Number(u64, u64),
}

/// Reads the fields of a message; what is broken ends it.
fn fields(mut bytes: &[u8]) -> Vec<Field<'_>> {
    let mut found = Vec::new();
    while let Some(tag) = number(&mut bytes) {
        match tag & 7 {
            0 => match number(&mut bytes) {
                Some(value) => found.push(Field::Number(tag >> 3, value)),
                None => break,
            },
            2 => {
                let size = number(&mut bytes).and_then(|size| usize::try_from(size).ok());
                let Some((value, rest)) = size.and_then(|size| bytes.split_at_checked(size)) else { break };
                found.push(Field::Bytes(tag >> 3, value));
                bytes = rest;
            }
            _ => break,
        }
    }
    found
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn message(bytes: &[u8], wanted: u64) -> &[u8] {
    let found = fields(bytes).into_iter().find_map(|field| match field {
        Field::Bytes(of, value) if of == wanted => Some(value),
        _ => None,
    });
    found.unwrap_or_default()
}

fn text(bytes: &[u8], wanted: u64) -> String {
    String::from_utf8_lossy(message(bytes, wanted)).into_owned()
}

/// Returns an object with the named texts that a message has.
fn texts(bytes: &[u8], names: &[(u64, &str)]) -> Value {
    let mut found = json!({});
    for (of, name) in names {
        let text = text(bytes, *of);
        if !text.is_empty() {
            found[*name] = text.into();
        }
    }
    found
}

fn delete_options(bytes: &[u8]) -> Value {
    let mut options = json!({});
    for field in fields(bytes) {
        match field {
            Field::Number(1, seconds) => options["gracePeriodSeconds"] = seconds.into(),
            Field::Bytes(2, conditions) => options["preconditions"] = texts(conditions, &[(1, "uid")]),
            Field::Bytes(4, policy) => options["propagationPolicy"] = String::from_utf8_lossy(policy).into(),
            _ => {}
        }
    }
    options
}

/// Reads a body; `None` for what is no such body, or of a kind that is not known here.
pub fn read(bytes: &[u8]) -> Option<Value> {
    let envelope = bytes.strip_prefix(MAGIC)?;
    let (of, object) = (message(envelope, 1), message(envelope, 2));
    let kind = text(of, 2);
    let spec = message(object, 2);
    let mut found = match kind.as_str() {
        "SelfSubjectAccessReview" => {
            let names = [
                (1, "namespace"),
                (2, "verb"),
                (3, "group"),
                (5, "resource"),
                (6, "subresource"),
                (7, "name"),
            ];
            let mut review = json!({"spec": {"resourceAttributes": texts(message(spec, 1), &names)}});
            let plain = message(spec, 2);
            if !plain.is_empty() {
                review["spec"] = json!({"nonResourceAttributes": texts(plain, &[(1, "path"), (2, "verb")])});
            }
            review
        }
        "SelfSubjectRulesReview" => json!({"spec": texts(spec, &[(1, "namespace")])}),
        "SelfSubjectReview" => json!({}),
        "DeleteOptions" => delete_options(object),
        "Eviction" => json!({"metadata": texts(message(object, 1), &[(1, "name"), (3, "namespace")]),
                             "deleteOptions": delete_options(spec)}),
        _ => return None,
    };
    found["apiVersion"] = text(of, 1).into();
    found["kind"] = kind.into();
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(of: u8, bytes: &[u8]) -> Vec<u8> {
        [&[of << 3 | 2, bytes.len() as u8], bytes].concat()
    }

    #[test]
    fn a_review_is_read() {
        let attributes = [part(2, b"list"), part(5, b"pods")].concat();
        let object = part(2, &part(1, &attributes));
        let of = [part(1, b"authorization.k8s.io/v1"), part(2, b"SelfSubjectAccessReview")].concat();
        let body = [MAGIC, &part(1, &of), &part(2, &object)].concat();
        let review = read(&body).unwrap();
        assert_eq!(review["spec"], json!({"resourceAttributes": {"verb": "list", "resource": "pods"}}));
        assert_eq!(read(&body[..20]), None);
        assert_eq!(read(b"{}"), None);
    }
}
