//! Secrets on their way to GitHub: encrypted for the public key of a repository or environment before they are sent.
//!
//! Start at [`send`]. The form is libsodium's sealed box (`crypto_box_seal`): X25519 with a key used once, `XSalsa20`
//! and Poly1305, the nonce being the `BLAKE2b` hash of both public keys. Only encrypting is needed, of short texts,
//! with a key that is thrown away; the key exchange is ring's, the rest is here because nothing else of the program
//! needs it. Checked against libsodium's own results.

use super::super::forge::{Client, segment, text};
use crate::scaffolder::action::{ActionError, Workbench};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::rand::SystemRandom;
use serde_json::json;

/// Sets secrets at a place of the API, `repos/o/r/actions/secrets`; asks nothing when there are none.
///
/// # Errors
/// What GitHub refuses, or when its key is none.
pub fn send(
    bench: &mut dyn Workbench,
    client: &Client,
    at: &str,
    secrets: &[(&String, String)],
) -> Result<(), ActionError> {
    if secrets.is_empty() {
        return Ok(());
    }
    let key = client
        .get(bench, &format!("{at}/public-key"))
        .map_err(|refusal| refusal.while_doing("read the key that secrets are encrypted with"))?;
    let id = text(&key, "/key_id", &client.host)?;
    let bytes = STANDARD.decode(text(&key, "/key", &client.host)?).ok();
    let public: [u8; 32] = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
        ActionError::new(format!("the key of `{}` that secrets are encrypted with is none", client.host))
    })?;
    for (name, value) in secrets {
        let sealed = seal(&public, value.as_bytes())
            .ok_or_else(|| ActionError::new(format!("could not encrypt the secret `{name}`")))?;
        let body = json!({"encrypted_value": STANDARD.encode(sealed), "key_id": id});
        client
            .put(bench, &format!("{at}/{}", segment(name)), &body)
            .map_err(|refusal| refusal.while_doing(&format!("set the secret `{name}`")))?;
    }
    Ok(())
}

/// Encrypts a message so that only the owner of a public key can read it.
fn seal(public: &[u8; 32], message: &[u8]) -> Option<Vec<u8>> {
    let random = SystemRandom::new();
    let private = EphemeralPrivateKey::generate(&X25519, &random).ok()?;
    let own: [u8; 32] = private.compute_public_key().ok()?.as_ref().try_into().ok()?;
    let peer = UnparsedPublicKey::new(&X25519, public);
    let shared = agree_ephemeral(private, &peer, |shared| <[u8; 32]>::try_from(shared).ok()).ok()??;
    let mut both = own.to_vec();
    both.extend_from_slice(public);
    let nonce = blake2b_24(&both);
    let key = hsalsa20(&shared, &[0; 16]);
    let mut out = own.to_vec();
    out.extend(secret_box(&key, &nonce, message));
    Some(out)
}

/// `crypto_secretbox`: tag and encrypted message.
fn secret_box(key: &[u8; 32], nonce: &[u8; 24], message: &[u8]) -> Vec<u8> {
    let (first, last) = nonce.split_at(16);
    let subkey = hsalsa20(key, &first.try_into().unwrap_or_default());
    let last: [u8; 8] = last.try_into().unwrap_or_default();
    // the first 32 bytes of the stream are the key of the tag
    let mut padded = vec![0; 32];
    padded.extend_from_slice(message);
    for (number, block) in padded.chunks_mut(64).enumerate() {
        let stream = salsa20(&subkey, last, number as u64);
        block.iter_mut().zip(stream).for_each(|(byte, mask)| *byte ^= mask);
    }
    let cipher = padded.split_off(32);
    let tag_key: [u8; 32] = padded.try_into().unwrap_or_default();
    let mut out = poly1305(&tag_key, &cipher).to_vec();
    out.extend(cipher);
    out
}

const SIGMA: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

fn words<const N: usize>(bytes: &[u8]) -> [u32; N] {
    let mut out = [0; N];
    for (word, chunk) in out.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = u32::from_le_bytes(chunk.try_into().unwrap_or_default());
    }
    out
}

fn salsa_input(key: &[u8; 32], input: &[u8; 16]) -> [u32; 16] {
    let [k0, k1, k2, k3, k4, k5, k6, k7] = words::<8>(key);
    let [n0, n1, n2, n3] = words::<4>(input);
    let [s0, s1, s2, s3] = SIGMA;
    [s0, k0, k1, k2, k3, s1, n0, n1, n2, n3, s2, k4, k5, k6, k7, s3]
}

/// The twenty rounds of Salsa20.
fn rounds(x: &mut [u32; 16]) {
    /// Target, two sources, rotation, in the order of the specification: columns, then rows.
    const STEPS: [(usize, usize, usize, u32); 32] = [
        (4, 0, 12, 7),
        (8, 4, 0, 9),
        (12, 8, 4, 13),
        (0, 12, 8, 18),
        (9, 5, 1, 7),
        (13, 9, 5, 9),
        (1, 13, 9, 13),
        (5, 1, 13, 18),
        (14, 10, 6, 7),
        (2, 14, 10, 9),
        (6, 2, 14, 13),
        (10, 6, 2, 18),
        (3, 15, 11, 7),
        (7, 3, 15, 9),
        (11, 7, 3, 13),
        (15, 11, 7, 18),
        (1, 0, 3, 7),
        (2, 1, 0, 9),
        (3, 2, 1, 13),
        (0, 3, 2, 18),
        (6, 5, 4, 7),
        (7, 6, 5, 9),
        (4, 7, 6, 13),
        (5, 4, 7, 18),
        (11, 10, 9, 7),
        (8, 11, 10, 9),
        (9, 8, 11, 13),
        (10, 9, 8, 18),
        (12, 15, 14, 7),
        (13, 12, 15, 9),
        (14, 13, 12, 13),
        (15, 14, 13, 18),
    ];
    for _ in 0..10 {
        for (to, a, b, by) in STEPS {
            x[to] ^= x[a].wrapping_add(x[b]).rotate_left(by);
        }
    }
}

fn bytes<const N: usize>(words: impl IntoIterator<Item = u32>) -> [u8; N] {
    let mut out = [0; N];
    let all = words.into_iter().flat_map(u32::to_le_bytes);
    out.iter_mut().zip(all).for_each(|(to, from)| *to = from);
    out
}

/// Makes a key of a key and sixteen bytes.
fn hsalsa20(key: &[u8; 32], input: &[u8; 16]) -> [u8; 32] {
    let mut x = salsa_input(key, input);
    rounds(&mut x);
    let [x0, _, _, _, _, x5, x6, x7, x8, x9, x10, _, _, _, _, x15] = x;
    bytes([x0, x5, x10, x15, x6, x7, x8, x9])
}

/// One block of the stream.
fn salsa20(key: &[u8; 32], nonce: [u8; 8], number: u64) -> [u8; 64] {
    let mut input = [0; 16];
    let both = nonce.into_iter().chain(number.to_le_bytes());
    input.iter_mut().zip(both).for_each(|(to, from)| *to = from);
    let start = salsa_input(key, &input);
    let mut x = start;
    rounds(&mut x);
    bytes(x.into_iter().zip(start).map(|(a, b)| a.wrapping_add(b)))
}

/// The tag of a message (RFC 8439, section 2.5), in limbs of 26 bits.
fn poly1305(key: &[u8; 32], message: &[u8]) -> [u8; 16] {
    let (r, s) = key.split_at(16);
    let r = limbs(
        u128::from_le_bytes(r.try_into().unwrap_or_default()) & 0x0fff_fffc_0fff_fffc_0fff_fffc_0fff_ffff,
        0,
    );
    let s = u128::from_le_bytes(s.try_into().unwrap_or_default());
    let mut h = [0_u64; 5];
    for chunk in message.chunks(16) {
        let mut block = [0; 16];
        block.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        let mut number = u128::from_le_bytes(block);
        // a bit after the last byte; that of a whole block is above what fits
        let high = u64::from(chunk.len() == 16);
        if high == 0 {
            number |= 1 << (8 * chunk.len());
        }
        let block = limbs(number, high);
        h.iter_mut().zip(block).for_each(|(to, from)| *to += from);
        h = multiply(h, r);
    }
    finish(h, s)
}

fn limbs(number: u128, high: u64) -> [u64; 5] {
    let part = |by: u32| (number >> by) as u64 & 0x03ff_ffff;
    [part(0), part(26), part(52), part(78), (number >> 104) as u64 | (high << 24)]
}

/// Multiplies modulo 2^130 - 5.
fn multiply(h: [u64; 5], r: [u64; 5]) -> [u64; 5] {
    let [h0, h1, h2, h3, h4] = h.map(u128::from);
    let [r0, r1, r2, r3, r4] = r.map(u128::from);
    let mut d = [
        h0 * r0 + 5 * (h1 * r4 + h2 * r3 + h3 * r2 + h4 * r1),
        h0 * r1 + h1 * r0 + 5 * (h2 * r4 + h3 * r3 + h4 * r2),
        h0 * r2 + h1 * r1 + h2 * r0 + 5 * (h3 * r4 + h4 * r3),
        h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + 5 * (h4 * r4),
        h0 * r4 + h1 * r3 + h2 * r2 + h3 * r1 + h4 * r0,
    ];
    carry(&mut d);
    d.map(|limb| limb as u64)
}

fn carry(d: &mut [u128; 5]) {
    let mut over = 0;
    for limb in d.iter_mut() {
        *limb += over;
        over = *limb >> 26;
        *limb &= 0x03ff_ffff;
    }
    let [first, second, ..] = d;
    *first += over * 5;
    *second += *first >> 26;
    *first &= 0x03ff_ffff;
}

#[expect(clippy::many_single_char_names, reason = "names of the specification")]
fn finish(h: [u64; 5], s: u128) -> [u8; 16] {
    let mut d = h.map(u128::from);
    carry(&mut d);
    carry(&mut d);
    // whether it is at least the modulus: then five more reach beyond 130 bits
    let mut more = d;
    let [first, ..] = &mut more;
    *first += 5;
    let mut over = 0;
    for limb in &mut more {
        *limb += over;
        over = *limb >> 26;
        *limb &= 0x03ff_ffff;
    }
    let [a, b, c, e, f] = if over > 0 { more } else { d };
    let number = a | (b << 26) | (c << 52) | (e << 78) | (f << 104);
    number.wrapping_add(s).to_le_bytes()
}

/// `BLAKE2b` (RFC 7693) with 24 bytes of output, of at most one block, which two keys are.
#[expect(clippy::many_single_char_names, reason = "names of the specification")]
fn blake2b_24(message: &[u8]) -> [u8; 24] {
    let mut block = [0_u8; 128];
    block.iter_mut().zip(message).for_each(|(to, from)| *to = *from);
    let mut m = [0_u64; 16];
    for (word, chunk) in m.iter_mut().zip(block.chunks_exact(8)) {
        *word = u64::from_le_bytes(chunk.try_into().unwrap_or_default());
    }
    let mut h = IV;
    h[0] ^= 0x0101_0018;
    let mut v = [0_u64; 16];
    v[..8].copy_from_slice(&h);
    v[8..].copy_from_slice(&IV);
    v[12] ^= message.len() as u64;
    v[14] = !v[14];
    const PLACES: [[usize; 4]; 8] = [
        [0, 4, 8, 12],
        [1, 5, 9, 13],
        [2, 6, 10, 14],
        [3, 7, 11, 15],
        [0, 5, 10, 15],
        [1, 6, 11, 12],
        [2, 7, 8, 13],
        [3, 4, 9, 14],
    ];
    for round in 0..12 {
        let order = ORDER[round % 10];
        for (at, [a, b, c, d]) in PLACES.into_iter().enumerate() {
            let (x, y) = (m[order[2 * at]], m[order[2 * at + 1]]);
            v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
            v[d] = (v[d] ^ v[a]).rotate_right(32);
            v[c] = v[c].wrapping_add(v[d]);
            v[b] = (v[b] ^ v[c]).rotate_right(24);
            v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
            v[d] = (v[d] ^ v[a]).rotate_right(16);
            v[c] = v[c].wrapping_add(v[d]);
            v[b] = (v[b] ^ v[c]).rotate_right(63);
        }
    }
    let mut out = [0; 24];
    let all = (0..8).flat_map(|at| (h[at] ^ v[at] ^ v[at + 8]).to_le_bytes());
    out.iter_mut().zip(all).for_each(|(to, from)| *to = from);
    out
}

const IV: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

const ORDER: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn counting<const N: usize>(from: u8, by: u8) -> [u8; N] {
        std::array::from_fn(|at| from.wrapping_add((at as u8).wrapping_mul(by)))
    }

    // results of libsodium 1.0.18
    /// Length of a message and its hash.
    const HASHES: &[(usize, &str)] = &[
        (0, "ab3b5331a7135ed50d0f182d026e60abdb3646fd51bcf8a3"),
        (1, "b6b98f7f5906dedb1ddf815c836d05d296e8796f037fca1a"),
        (64, "1f83791ba91cdd5e2921a53df3f683aeb7d8748bd5641cc8"),
        (127, "0ce9bccc57e27b5ace4fbddb7f00055e694057d2c9d729b2"),
        (128, "e8c23dc54177e6647c5deda6a0e2f47f8116335f3ff402c8"),
    ];

    /// Length of a message and the SHA-256 of tag and encrypted message.
    const BOXES: &[(usize, &str)] = &[
        (0, "ab92b9417e7a58e4978805cd7342ff512359d282d5ac39000a83aa3230dfc699"),
        (1, "e86c225d89d04424bc438f5aae319bbc650ce76e59e82a549659689fe0a48f69"),
        (15, "6317e12ce054dc070048a3594a0d9693a5956475373cdd6ebe90034d9311f260"),
        (16, "079a9fcbeb0efc380f2dbb6fe1955c6a4a232c8e0832019b11c8ece5a1f9a496"),
        (17, "6c68c5777d0cf3540aeee4fe478a3d1988f3a7dc528e6cc64d02c02bb9f20c11"),
        (32, "2851e060d4bc3046422ca8151d2adf05a164868f8bd4d03da7e1e8c43f68304f"),
        (33, "60b9ca3570e4ee80dad8af31ef7a0c7e9a502054569b2935d3b3290ef73183e0"),
        (95, "aea5fe37c7bfeaea80d7ca38a3cf19ad8771c2841f08eebd76fad5cd3f01c847"),
        (96, "1843fe72a23e66a1c96970e19466a79ba58a901942361f76d773602a540703ea"),
        (97, "8f4ea2f1b643cd1c1154500ff125bdf1c819fe22a65514a31e9554290396999e"),
        (160, "ed396f8c7afb97fab1a25bb859dfd5f937036ec11ba5715b923d3de96be22d0a"),
        (1000, "ea0e34c0deea2de53f15bd67ec486f046b51d4a605286d39f1a88df938595e4d"),
    ];

    #[test]
    fn hashes_as_libsodium_does() {
        for (length, expected) in HASHES {
            let message: Vec<u8> = (0..*length).map(|at| (at * 7 + 3) as u8).collect();
            assert_eq!(hex(&blake2b_24(&message)), *expected, "{length}");
        }
    }

    #[test]
    fn encrypts_as_libsodium_does() {
        for (length, expected) in BOXES {
            let message: Vec<u8> = (0..*length).map(|at| (at * 11 + 5) as u8).collect();
            let made = secret_box(&counting(1, 3), &counting(200, 5), &message);
            assert_eq!(
                hex(ring::digest::digest(&ring::digest::SHA256, &made).as_ref()),
                *expected,
                "{length}"
            );
        }
    }

    #[test]
    fn tags_near_the_modulus_are_right() {
        // RFC 8439, appendix A.3, tests 7 to 9
        let mut r = [0; 32];
        r[0] = 1;
        let f = [0xff; 16];
        let mut seven = f.to_vec();
        seven.extend([0xf0].iter().chain(&[0xff; 15]));
        seven.extend([0x11].iter().chain(&[0; 15]));
        assert_eq!(hex(&poly1305(&r, &seven)), format!("05{}", "00".repeat(15)));
        let mut two = [0; 32];
        two[0] = 2;
        let mut nine = vec![0xfd];
        nine.extend([0xff; 15]);
        assert_eq!(hex(&poly1305(&two, &nine)), format!("fa{}", "ff".repeat(15)));
    }

    #[test]
    fn a_sealed_secret_differs_each_time() {
        let public: [u8; 32] = counting(9, 1);
        let (one, two) = (seal(&public, b"hunter2").unwrap(), seal(&public, b"hunter2").unwrap());
        assert_eq!(one.len(), 32 + 16 + 7);
        assert_ne!(one, two);
    }
}
