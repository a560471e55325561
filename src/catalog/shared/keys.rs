//! Keys that sign snapshots (Ed25519, RFC 8032) and keys that check them.
//!
//! Start at [`SigningKey::generate`] and [`PublicKeys::parse`]. A private key is PKCS #8 in PEM, as
//! `openssl genpkey -algorithm ed25519` writes it too; a public key is 32 bytes in base64.

use super::SharedError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use std::fmt;

/// Bytes of a public key.
const LENGTH: usize = 32;
/// What stands before the key in an X.509 public key of this kind.
const SPKI: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// A private key; nothing prints it.
pub struct SigningKey(Ed25519KeyPair);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public().id())
    }
}

fn bad(cause: &str) -> SharedError {
    SharedError::Key { cause: cause.to_owned() }
}

impl SigningKey {
    /// Makes a new pair; gives the private key as the text of its file, too.
    ///
    /// # Errors
    /// [`SharedError::Key`] when the system gives no randomness.
    pub fn generate() -> Result<(Self, String), SharedError> {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .map_err(|_| bad("the system gives no random numbers"))?;
        let encoded = STANDARD.encode(document.as_ref());
        let mut text = format!("{BEGIN}\n");
        for line in encoded.as_bytes().chunks(64) {
            text.push_str(&String::from_utf8_lossy(line));
            text.push('\n');
        }
        text.push_str(END);
        text.push('\n');
        Ok((Self::parse(&text)?, text))
    }

    /// Reads a private key: PKCS #8 as PEM, or only its base64.
    ///
    /// # Errors
    /// [`SharedError::Key`], which never holds any of the text.
    pub fn parse(text: &str) -> Result<Self, SharedError> {
        let body = match text.split_once(BEGIN) {
            Some((_, rest)) => rest.split_once(END).ok_or_else(|| bad("its end is missing"))?.0,
            None if text.contains("-----BEGIN") => {
                return Err(bad("it is no unencrypted private key (PKCS #8)"));
            }
            None => text,
        };
        let encoded: String = body.split_whitespace().collect();
        let bytes = STANDARD.decode(encoded).map_err(|_| bad("it is not base64"))?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&bytes)
            .map_err(|_| bad("it is no Ed25519 private key"))?;
        Ok(Self(pair))
    }

    /// Returns the public half.
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; LENGTH];
        bytes.iter_mut().zip(self.0.public_key().as_ref()).for_each(|(to, from)| *to = *from);
        PublicKey(bytes)
    }

    /// Signs a message; base64.
    pub fn sign(&self, message: &[u8]) -> String {
        STANDARD.encode(self.0.sign(message))
    }
}

/// A public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; LENGTH]);

impl PublicKey {
    /// Reads base64 of the key alone, or of its X.509 form.
    ///
    /// # Errors
    /// [`SharedError::Key`].
    pub fn parse(text: &str) -> Result<Self, SharedError> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| bad("the public key is not base64"))?;
        let key = bytes.strip_prefix(SPKI).unwrap_or(&bytes);
        let key = key.try_into().map_err(|_| bad("the public key does not have 32 bytes"))?;
        Ok(Self(key))
    }

    /// Returns it as base64, for `public_key` of a source.
    pub fn to_base64(self) -> String {
        STANDARD.encode(self.0)
    }

    /// Returns the short name that a manifest has for it.
    pub fn id(self) -> String {
        blake3::hash(&self.0).to_hex().chars().take(16).collect()
    }

    /// Returns whether this key made the signature (base64) of the message.
    pub fn has_signed(self, message: &[u8], signature: &str) -> bool {
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        UnparsedPublicKey::new(&ED25519, self.0).verify(message, &signature).is_ok()
    }
}

/// The keys a reader trusts; several while one takes the place of another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublicKeys(Vec<PublicKey>);

impl PublicKeys {
    /// Reads keys separated by spaces or commas.
    ///
    /// # Errors
    /// [`SharedError::Key`] when there is none, or one is not usable.
    pub fn parse(text: &str) -> Result<Self, SharedError> {
        let words = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
        let keys = words.map(PublicKey::parse).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(bad("`public_key` is empty")) } else { Ok(Self(keys)) }
    }

    /// Returns the key that made a signature, if it is one of these.
    pub fn signer(&self, message: &[u8], signature: &str) -> Option<PublicKey> {
        self.0.iter().copied().find(|key| key.has_signed(message, signature))
    }

    /// Returns their short names.
    pub fn ids(&self) -> String {
        self.0.iter().map(|key| format!("`{}`", key.id())).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_key_signs_what_its_public_half_checks() {
        let (key, text) = SigningKey::generate().unwrap();
        let read = SigningKey::parse(&text).unwrap();
        let signature = read.sign(b"message");
        let public = PublicKeys::parse(&key.public().to_base64()).unwrap();
        assert_eq!(public.signer(b"message", &signature), Some(key.public()));
        assert_eq!(public.signer(b"messagf", &signature), None);
        assert!(!format!("{key:?}").contains(text.lines().nth(1).unwrap()));
    }

    #[test]
    fn reads_what_openssl_writes() {
        // `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout`; a key of nobody
        let private = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIEUi1VGGk1HILfIk+sAGWgqAinuUH52+FGbT7E+RlhB8\n\
                       -----END PRIVATE KEY-----\n";
        let public = "MCowBQYDK2VwAyEAQSSOMAr62kxOnNko/U/nandgYpXYswtNT2epZXRLOfM=";
        assert_eq!(SigningKey::parse(private).unwrap().public(), PublicKey::parse(public).unwrap());
    }

    #[test]
    fn refuses_what_is_no_key() {
        for text in
            ["", "hello", "AAAA", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----"]
        {
            assert!(matches!(SigningKey::parse(text), Err(SharedError::Key { .. })), "{text}");
            assert!(matches!(PublicKeys::parse(text), Err(SharedError::Key { .. })), "{text}");
        }
    }

    #[test]
    fn several_keys_are_trusted_while_they_change() {
        let (old, new) = (SigningKey::generate().unwrap().0, SigningKey::generate().unwrap().0);
        let both = format!("{}, {}", old.public().to_base64(), new.public().to_base64());
        let keys = PublicKeys::parse(&both).unwrap();
        for key in [&old, &new] {
            assert_eq!(keys.signer(b"x", &key.sign(b"x")), Some(key.public()));
        }
    }
}
