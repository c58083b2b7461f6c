//! How addresses are put together, and how they are told.

use std::borrow::Cow;

use url::Url;

/// Appends a path to a base, whether or not the base ends in a slash.
pub(crate) fn join(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}

/// Gives the address this query, encoded as the official client does it.
pub(crate) fn with_query(mut url: Url, pairs: &[(&str, &str)]) -> Url {
    let mut query = String::new();
    for (name, value) in pairs {
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(name);
        query.push('=');
        encode_component(value, &mut query);
    }
    url.set_query(Some(&query));
    url
}

/// Returns the address without its query, which carries tickets and QR codes.
pub(crate) fn redact_url(url: &str) -> Cow<'_, str> {
    match url.split_once('?') {
        Some((path, _)) => format!("{path}?<redacted>").into(),
        None => url.into(),
    }
}

/// Escapes what JavaScript's `encodeURIComponent` escapes.
fn encode_component(text: &str, out: &mut String) {
    const HEX: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')');
        if plain {
            out.push(char::from(byte));
        } else {
            out.extend(['%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[test]
    fn cdn_addresses_are_escaped_as_by_the_official_plugin() {
        #[derive(Deserialize)]
        struct Case {
            param: String,
            download: String,
            upload: String,
        }

        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../../tests/vectors/cdn_url.json")).unwrap();
        for case in cases {
            for base in ["https://cdn.example/c2c", "https://cdn.example/c2c/"] {
                let base = Url::parse(base).unwrap();
                let param = ("encrypted_query_param", case.param.as_str());
                let download = with_query(join(&base, "download"), &[param]);
                let upload = with_query(join(&base, "upload"), &[param, ("filekey", "f k")]);
                assert_eq!(download.as_str(), case.download);
                assert_eq!(upload.as_str(), case.upload);
            }
        }
    }

    #[test]
    fn a_told_address_has_no_query() {
        #[derive(Deserialize)]
        struct Cases {
            url: Vec<Case>,
        }

        #[derive(Deserialize)]
        struct Case {
            r#in: String,
            out: String,
        }

        let cases: Cases =
            serde_json::from_str(include_str!("../../tests/vectors/redact.json")).unwrap();
        for case in cases.url {
            assert_eq!(redact_url(&case.r#in), case.out);
        }
    }
}
