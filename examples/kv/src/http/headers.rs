//! Conditions and request ids, read from headers.

use axum::http::{HeaderMap, HeaderName, header};

use super::Problem;
use crate::command::{Expect, RequestId, Version};

/// Names the session, as `POST /session` gave it.
pub(crate) const CLIENT_ID: HeaderName = HeaderName::from_static("x-client-id");
/// Names the request within its session; grows from request to request, the same for every retry.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A version as an `ETag`.
pub(crate) fn entity_tag(version: Version) -> String {
    format!("\"{version}\"")
}

/// The version of an `ETag`, in no other form than [`entity_tag`] gives it.
pub(crate) fn version(tag: &str) -> Option<Version> {
    let version = tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok()?;
    (entity_tag(version) == tag).then_some(version)
}

/// `If-Match` and `If-None-Match` as a condition. Other forms than those documented are refused, never ignored.
pub(crate) fn expect(headers: &HeaderMap) -> Result<Expect, Problem> {
    match (text(headers, &header::IF_MATCH)?, text(headers, &header::IF_NONE_MATCH)?) {
        (None, None) => Ok(Expect::Anything),
        (None, Some("*")) => Ok(Expect::Absent),
        (Some("*"), None) => Ok(Expect::Present),
        (Some(tag), None) => version(tag).map(Expect::Version).ok_or_else(|| {
            Problem::BadRequest(format!("If-Match: {tag} is neither * nor one version such as \"17\""))
        }),
        (None, Some(tag)) => Err(Problem::BadRequest(format!("If-None-Match: {tag} is not *"))),
        (Some(_), Some(_)) => {
            Err(Problem::BadRequest("If-Match and If-None-Match exclude each other".into()))
        }
    }
}

/// Both ids or none.
pub(crate) fn request(headers: &HeaderMap) -> Result<Option<RequestId>, Problem> {
    match (number(headers, &CLIENT_ID)?, number(headers, &REQUEST_ID)?) {
        (None, None) => Ok(None),
        (Some(client), Some(number)) => Ok(Some(RequestId { client, number })),
        (None, Some(_)) => Err(Problem::BadRequest(format!("{REQUEST_ID} needs {CLIENT_ID} beside it"))),
        (Some(_), None) => Err(Problem::BadRequest(format!("{CLIENT_ID} needs {REQUEST_ID} beside it"))),
    }
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, Problem> {
    let Some(text) = text(headers, name)? else { return Ok(None) };
    text.parse().map(Some).map_err(|_| Problem::BadRequest(format!("{name}: {text} is not a number")))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::BadRequest(format!("{name} stands there twice")));
    }
    value.to_str().map(Some).map_err(|_| Problem::BadRequest(format!("{name} is not plain text")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn conditions_are_read_and_none_is_ignored() {
        let ok = |pairs: &[_]| expect(&headers(pairs)).expect("a condition");
        assert_eq!(ok(&[]), Expect::Anything);
        assert_eq!(ok(&[("if-match", "\"17\"")]), Expect::Version(17));
        assert_eq!(ok(&[("if-match", "*")]), Expect::Present);
        assert_eq!(ok(&[("if-none-match", "*")]), Expect::Absent);
        let refused: [&[_]; 5] = [
            &[("if-match", "17")],
            &[("if-match", "\"a\", \"b\"")],
            &[("if-none-match", "\"17\"")],
            &[("if-match", "*"), ("if-none-match", "*")],
            &[("if-match", "\"1\""), ("if-match", "\"2\"")],
        ];
        for pairs in refused {
            assert!(matches!(expect(&headers(pairs)), Err(Problem::BadRequest(_))), "{pairs:?}");
        }
    }

    #[test]
    fn a_request_has_both_ids_or_none() {
        let both = headers(&[("x-client-id", "3"), ("x-request-id", "4")]);
        assert_eq!(request(&both).expect("both"), Some(RequestId { client: 3, number: 4 }));
        assert_eq!(request(&headers(&[])).expect("none"), None);
        let refused: [&[_]; 3] = [
            &[("x-client-id", "3")],
            &[("x-request-id", "4")],
            &[("x-client-id", "x"), ("x-request-id", "4")],
        ];
        for pairs in refused {
            assert!(matches!(request(&headers(pairs)), Err(Problem::BadRequest(_))), "{pairs:?}");
        }
    }

    #[test]
    fn a_version_survives_its_tag() {
        assert_eq!(version(&entity_tag(17)), Some(17));
        assert_eq!(version("17"), None);
        assert_eq!(version("\"+17\""), None);
        assert_eq!(version("\"017\""), None);
    }

    /// Header values near the documented forms, and any other that HTTP lets through.
    fn any_value() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            Just(b"*".to_vec()),
            any::<u64>().prop_map(|number| number.to_string().into_bytes()),
            any::<u64>().prop_map(|number| entity_tag(number).into_bytes()),
            "\"[+0-9]{0,3}\"".prop_map(String::into_bytes),
            proptest::collection::vec(any::<u8>(), 0..12),
        ]
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_what_was_said(
            fields in proptest::collection::vec((0usize..4, any_value()), 0..5)
        ) {
            let names = [header::IF_MATCH, header::IF_NONE_MATCH, CLIENT_ID, REQUEST_ID];
            let mut map = HeaderMap::new();
            for (name, value) in &fields {
                if let Ok(value) = HeaderValue::from_bytes(value) {
                    map.append(&names[*name], value);
                }
            }
            let said = |name| -> Vec<&[u8]> { map.get_all(name).iter().map(HeaderValue::as_bytes).collect() };
            let [met, unmet, client, number] = names.each_ref().map(said);
            if let Ok(expect) = expect(&map) {
                let (tag, any) = match expect {
                    Expect::Anything => (vec![], vec![]),
                    Expect::Absent => (vec![], vec!["*".to_owned()]),
                    Expect::Present => (vec!["*".to_owned()], vec![]),
                    Expect::Version(version) => (vec![entity_tag(version)], vec![]),
                };
                prop_assert_eq!(met, tag.iter().map(String::as_bytes).collect::<Vec<_>>());
                prop_assert_eq!(unmet, any.iter().map(String::as_bytes).collect::<Vec<_>>());
            }
            if let Ok(request) = request(&map) {
                let ids = request.map(|it| (it.client, it.number));
                let parsed = |said: Vec<&[u8]>| said.first().and_then(|it| std::str::from_utf8(it).ok()?.parse().ok());
                prop_assert_eq!(ids, parsed(client).zip(parsed(number)));
            }
        }
    }
}
