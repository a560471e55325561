//! A certificate authority for one run, and the certificate of 127.0.0.1 it signs.
//!
//! Tools send tokens only over TLS, so the servers speak it. X.509 is written by hand here: two certificates of one
//! shape, with keys on P-256. Times are the real ones, whatever the world's clock says: clients check by theirs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::io;
use std::sync::Arc;

/// What servers and clients need.
pub struct Identity {
    /// The authority's certificate as a kubeconfig has it: PEM in Base64.
    pub authority: String,
    /// For servers on 127.0.0.1.
    pub server: Arc<ServerConfig>,
}

const SEQUENCE: u8 = 0x30;
const OID_SIGNATURE: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]; // ecdsa-with-SHA256
const OID_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]; // ecPublicKey
const OID_CURVE: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]; // prime256v1
const OID_NAME: &[u8] = &[0x55, 0x04, 0x03]; // commonName
const OID_BASIC: &[u8] = &[0x55, 0x1d, 0x13]; // basicConstraints
const OID_USAGE: &[u8] = &[0x55, 0x1d, 0x0f]; // keyUsage
const OID_EXTENDED: &[u8] = &[0x55, 0x1d, 0x25]; // extKeyUsage
const OID_SERVER: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01]; // serverAuth
const OID_NAMES: &[u8] = &[0x55, 0x1d, 0x11]; // subjectAltName

/// Makes an identity that is valid for some days.
///
/// # Errors
/// When there is no randomness.
pub fn make() -> io::Result<Identity> {
    let random = SystemRandom::new();
    let failed = |_| io::Error::other("could not make a certificate");
    let key = || -> io::Result<(Vec<u8>, EcdsaKeyPair)> {
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).map_err(failed)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &random);
        let pair = pair.map_err(|_| io::Error::other("could not make a certificate"))?;
        Ok((document.as_ref().to_vec(), pair))
    };
    let (_, authority_key) = key()?;
    let (server_document, server_key) = key()?;
    const AUTHORITY: &str = "devportal demo authority";
    let sign = |body: Vec<u8>| -> io::Result<Vec<u8>> {
        let signature = authority_key.sign(&random, &body).map_err(failed)?;
        Ok(tlv(SEQUENCE, &[body, algorithm(), bits(signature.as_ref())].concat()))
    };
    let usage_of_authority = [
        extension(OID_BASIC, true, &tlv(SEQUENCE, &tlv(0x01, &[0xff]))),
        extension(OID_USAGE, true, &tlv(0x03, &[0x02, 0x04])),
    ];
    let names = [tlv(0x82, b"localhost"), tlv(0x87, &[127, 0, 0, 1])].concat();
    let usage_of_server = [
        extension(OID_BASIC, true, &tlv(SEQUENCE, &[])),
        extension(OID_USAGE, true, &tlv(0x03, &[0x07, 0x80])),
        extension(OID_EXTENDED, false, &tlv(SEQUENCE, &tlv(0x06, OID_SERVER))),
        extension(OID_NAMES, false, &tlv(SEQUENCE, &names)),
    ];
    let authority = sign(body(1, AUTHORITY, AUTHORITY, &authority_key, &usage_of_authority.concat()))?;
    let server = sign(body(2, AUTHORITY, "127.0.0.1", &server_key, &usage_of_server.concat()))?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(server_document));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(server)], private)
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Identity { authority: STANDARD.encode(pem(&authority)), server: Arc::new(config) })
}

fn pem(certificate: &[u8]) -> String {
    let text = STANDARD.encode(certificate);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// Writes a value with its tag and length (DER).
fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match value.len() {
        length @ 0..=127 => out.push(length as u8),
        length @ 128..=255 => out.extend([0x81, length as u8]),
        length => out.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    out.extend_from_slice(value);
    out
}

fn bits(value: &[u8]) -> Vec<u8> {
    tlv(0x03, &[&[0], value].concat())
}

fn algorithm() -> Vec<u8> {
    tlv(SEQUENCE, &tlv(0x06, OID_SIGNATURE))
}

fn name(text: &str) -> Vec<u8> {
    let pair = [tlv(0x06, OID_NAME), tlv(0x0c, text.as_bytes())].concat();
    tlv(SEQUENCE, &tlv(0x31, &tlv(SEQUENCE, &pair)))
}

fn extension(of: &[u8], is_critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if is_critical { tlv(0x01, &[0xff]) } else { Vec::new() };
    tlv(SEQUENCE, &[tlv(0x06, of), critical, tlv(0x04, value)].concat())
}

fn time(days: i64) -> Vec<u8> {
    let now = Timestamp::now();
    let at = now.checked_add(SignedDuration::from_hours(24 * days)).unwrap_or(now);
    tlv(0x17, at.strftime("%y%m%d%H%M%SZ").to_string().as_bytes())
}

/// Writes what is signed.
fn body(serial: u8, issuer: &str, subject: &str, key: &EcdsaKeyPair, extensions: &[u8]) -> Vec<u8> {
    let kind = tlv(SEQUENCE, &[tlv(0x06, OID_KEY), tlv(0x06, OID_CURVE)].concat());
    let public = tlv(SEQUENCE, &[kind, bits(key.public_key().as_ref())].concat());
    let parts = [
        tlv(0xa0, &tlv(0x02, &[2])),
        tlv(0x02, &[serial]),
        algorithm(),
        name(issuer),
        tlv(SEQUENCE, &[time(-1), time(30)].concat()),
        name(subject),
        public,
        tlv(0xa3, &tlv(SEQUENCE, extensions)),
    ];
    tlv(SEQUENCE, &parts.concat())
}
