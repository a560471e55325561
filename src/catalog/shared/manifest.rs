//! The manifest: the small file that says which data object is the snapshot, and who says so.
//!
//! Start at [`Manifest::parse`]. What is signed are its *canonical bytes*: the manifest without
//! `signature` as JSON without spaces, the keys of every object sorted by their bytes, after
//! [`DOMAIN`]. Fields that this version does not know are signed all the same.

use super::keys::{PublicKey, PublicKeys, SigningKey};
use super::{DATA, MAX_DATA, MAX_ENTITIES, MAX_RATIO, MAX_UNPACKED, RATIO_FREE, SharedError};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// The format that this version writes.
pub const FORMAT: &str = "devportal-snapshot/1";
/// Stands before the canonical bytes, so that a signature is good for nothing else.
pub const DOMAIN: &str = "devportal snapshot manifest v1\n";
/// Most sources that a manifest lists.
const MAX_SOURCES: usize = 10_000;

/// What a snapshot is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// `devportal-snapshot/1`.
    pub format: String,
    /// When its content was published.
    #[serde(serialize_with = "write_time", deserialize_with = "read_time")]
    pub created: Timestamp,
    /// Entities in it.
    pub entities: u64,
    /// Files with entities or problems in it.
    pub files: u64,
    /// What it was made from, in the order of their priority.
    pub sources: Vec<PublishedSource>,
    /// The data object.
    pub data: DataObject,
    /// Who vouches for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

/// One of the sources that a snapshot was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedSource {
    /// Its name where it was published.
    pub name: String,
    /// The word after `type =`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Entities from it.
    pub entities: u64,
    /// Why it could not be read, or not wholly, when it was published all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The data object of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataObject {
    /// `data/HASH.jsonl.gz`, beside the manifest.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its size in bytes, unpacked.
    pub unpacked: u64,
    /// BLAKE3 of its bytes, hexadecimal.
    pub blake3: String,
}

/// A signature over the canonical bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Short name of the key.
    pub key: String,
    /// Base64.
    pub ed25519: String,
}

impl DataObject {
    /// Describes a data object.
    pub fn of(bytes: &[u8], unpacked: u64) -> Self {
        let blake3 = blake3::hash(bytes).to_hex().to_string();
        Self { name: Self::name_of(&blake3), size: bytes.len() as u64, unpacked, blake3 }
    }

    fn name_of(hash: &str) -> String {
        format!("{DATA}/{hash}.jsonl.gz")
    }

    /// Checks that bytes are this object.
    ///
    /// # Errors
    /// [`SharedError::Broken`].
    pub fn check(&self, bytes: &[u8]) -> Result<(), SharedError> {
        if bytes.len() as u64 != self.size {
            let cause = format!("`{}` has {} bytes in place of {}", self.name, bytes.len(), self.size);
            return Err(SharedError::Broken { cause });
        }
        if blake3::hash(bytes).to_hex().as_str() != self.blake3 {
            return Err(SharedError::Broken { cause: format!("the checksum of `{}` is wrong", self.name) });
        }
        Ok(())
    }
}

impl Manifest {
    /// Reads a manifest and checks that it makes sense; checks its signature when there are keys.
    ///
    /// # Errors
    /// [`SharedError::Broken`], [`SharedError::Newer`], [`SharedError::Untrusted`].
    pub fn parse(bytes: &[u8], keys: Option<&PublicKeys>) -> Result<Self, SharedError> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| {
            let page = bytes.trim_ascii_start().first() == Some(&b'<');
            let cause = if page { "a page for people came instead".to_owned() } else { error.to_string() };
            SharedError::broken(format!("its manifest is no JSON: {cause}"))
        })?;
        let format = value.get("format").and_then(Value::as_str).unwrap_or("");
        if format != FORMAT {
            return Err(if format.starts_with("devportal-snapshot/") {
                SharedError::Newer { format: format.chars().take(60).collect() }
            } else {
                SharedError::broken("its manifest is not one of devportal")
            });
        }
        // before anything in it is believed
        if let Some(keys) = keys {
            check_signature(&value, keys)?;
        }
        let manifest: Self = serde_json::from_value(value)
            .map_err(|error| SharedError::broken(format!("its manifest makes no sense: {error}")))?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), SharedError> {
        let DataObject { name, size, unpacked, blake3 } = &self.data;
        let is_hash = blake3.len() == 64 && blake3.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !is_hash || *name != DataObject::name_of(blake3) {
            return Err(SharedError::broken("its manifest names no data object"));
        }
        let too_much = *size > MAX_DATA
            || *unpacked > MAX_UNPACKED
            || self.entities > MAX_ENTITIES
            || self.sources.len() > MAX_SOURCES;
        if too_much {
            return Err(SharedError::broken("it is larger than any catalog"));
        }
        if *unpacked > RATIO_FREE && *unpacked > size.saturating_mul(MAX_RATIO) {
            return Err(SharedError::broken("its data would unpack to more than a catalog can be"));
        }
        Ok(())
    }

    /// Signs it in place of any signature before.
    pub fn sign(&mut self, key: &SigningKey) {
        self.signature = None;
        let message = signed_bytes(&serde_json::to_value(&*self).unwrap_or_default());
        self.signature = Some(Signature { key: key.public().id(), ed25519: key.sign(&message) });
    }

    /// Returns whether this key signed it.
    pub fn is_signed_by(&self, key: PublicKey) -> bool {
        let message = signed_bytes(&serde_json::to_value(self).unwrap_or_default());
        self.signature.as_ref().is_some_and(|signature| key.has_signed(&message, &signature.ed25519))
    }

    /// Returns its file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text.into_bytes()
    }

    /// Returns the sources that were not read wholly.
    pub fn incomplete(&self) -> impl Iterator<Item = &PublishedSource> {
        self.sources.iter().filter(|source| source.error.is_some())
    }
}

fn write_time<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

fn read_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

fn check_signature(manifest: &Value, keys: &PublicKeys) -> Result<(), SharedError> {
    let untrusted = |cause: String| Err(SharedError::Untrusted { cause });
    let field = |name: &str| manifest.get("signature")?.get(name)?.as_str();
    let Some(signature) = field("ed25519") else {
        return untrusted("it is not signed, and a key is configured".to_owned());
    };
    if keys.signer(&signed_bytes(manifest), signature).is_some() {
        return Ok(());
    }
    let signer: String =
        field("key").unwrap_or("unknown").chars().filter(char::is_ascii_alphanumeric).take(16).collect();
    if keys.ids().contains(&format!("`{signer}`")) {
        return untrusted(format!("its signature by the key `{signer}` is wrong: it was changed afterwards"));
    }
    untrusted(format!("it is signed by the key `{signer}`, trusted is {}", keys.ids()))
}

/// Returns what a signature is over.
fn signed_bytes(manifest: &Value) -> Vec<u8> {
    let mut out = DOMAIN.as_bytes().to_vec();
    let mut unsigned = manifest.clone();
    if let Some(fields) = unsigned.as_object_mut() {
        fields.remove("signature");
    }
    canonical(&unsigned, &mut out);
    out
}

/// Writes JSON without spaces, keys sorted by their bytes.
fn canonical(value: &Value, out: &mut Vec<u8>) {
    let list = |out: &mut Vec<u8>, at: usize| {
        if at > 0 {
            out.push(b',');
        }
    };
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(key, _)| key.as_bytes());
            out.push(b'{');
            for (at, (key, value)) in fields.into_iter().enumerate() {
                list(out, at);
                out.extend(Value::from(key.as_str()).to_string().into_bytes());
                out.push(b':');
                canonical(value, out);
            }
            out.push(b'}');
        }
        Value::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                list(out, at);
                canonical(item, out);
            }
            out.push(b']');
        }
        scalar => out.extend(scalar.to_string().into_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            format: FORMAT.into(),
            created: "2026-01-02T03:04:05Z".parse().unwrap(),
            entities: 2,
            files: 1,
            sources: vec![PublishedSource {
                name: "shop".into(),
                kind: "dir".into(),
                entities: 2,
                error: None,
            }],
            data: DataObject::of(b"data", 40),
            signature: None,
        }
    }

    fn keys(key: &SigningKey) -> PublicKeys {
        PublicKeys::parse(&key.public().to_base64()).unwrap()
    }

    #[test]
    fn comes_back_as_it_was_written() {
        let mut manifest = manifest();
        assert_eq!(Manifest::parse(&manifest.to_bytes(), None).unwrap(), manifest);
        let (key, _) = SigningKey::generate().unwrap();
        manifest.sign(&key);
        assert_eq!(Manifest::parse(&manifest.to_bytes(), Some(&keys(&key))).unwrap(), manifest);
        assert!(manifest.is_signed_by(key.public()));
    }

    #[test]
    fn a_signature_covers_every_field_even_unknown_ones() {
        let (key, _) = SigningKey::generate().unwrap();
        let mut signed = manifest();
        signed.sign(&key);
        let value: Value = serde_json::from_slice(&signed.to_bytes()).unwrap();
        for (field, other) in [
            ("created", Value::from("2026-01-02T03:04:06Z")),
            ("entities", 3.into()),
            ("files", 2.into()),
            ("sources", Value::Array(vec![])),
            ("data", serde_json::to_value(DataObject::of(b"evil", 40)).unwrap()),
            ("later", 1.into()),
        ] {
            let mut changed = value.clone();
            changed[field] = other;
            let text = changed.to_string();
            let error = Manifest::parse(text.as_bytes(), Some(&keys(&key))).unwrap_err();
            assert!(error.to_string().contains("it was changed afterwards"), "{field}: {error}");
        }
        let (other, _) = SigningKey::generate().unwrap();
        let error = Manifest::parse(&signed.to_bytes(), Some(&keys(&other))).unwrap_err();
        assert!(error.to_string().contains("trusted is"), "{error}");
        let error = Manifest::parse(&manifest().to_bytes(), Some(&keys(&key))).unwrap_err();
        assert!(error.to_string().contains("it is not signed"), "{error}");
    }

    #[test]
    fn the_canonical_form_has_sorted_keys_and_no_spaces() {
        let value = serde_json::json!({"b": [1, {"d": "ü\n", "c": null}], "a": true});
        let mut out = Vec::new();
        canonical(&value, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"a":true,"b":[1,{"c":null,"d":"ü\n"}]}"#);
    }

    #[test]
    fn refuses_what_cannot_be() {
        let change = |change: &dyn Fn(&mut Manifest)| {
            let mut changed = manifest();
            change(&mut changed);
            Manifest::parse(&changed.to_bytes(), None).unwrap_err().to_string()
        };
        assert!(change(&|m| m.format = "devportal-snapshot/2".into()).contains("does not read"));
        assert!(change(&|m| m.format = "x".into()).contains("not one of devportal"));
        assert!(change(&|m| m.data.name = "../../etc/passwd".into()).contains("names no data object"));
        assert!(change(&|m| m.data.blake3 = "..".into()).contains("names no data object"));
        assert!(change(&|m| m.data.size = u64::MAX).contains("larger than any catalog"));
        assert!(change(&|m| m.data.unpacked = 1024 * 1024 * 1024).contains("unpack"));
        assert!(change(&|m| m.entities = 1 << 40).contains("larger than any catalog"));
        let page = Manifest::parse(b"<!doctype html><title>Sign in</title>", None).unwrap_err();
        assert!(page.to_string().contains("a page for people"));
    }
}
