//! Byte ranges of a download. Pure.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

/// Which part is asked for. Only single ranges are served as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Range {
    All,
    /// From the first to the last byte, both included.
    Part {
        first: u64,
        last: u64,
    },
    /// A part that is not there.
    Unsatisfiable,
}

impl Range {
    /// Reads the `Range` header for a media of this size.
    pub(crate) fn asked(headers: &HeaderMap, size: u64) -> Self {
        let value = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
        value.map_or(Self::All, |value| Self::parse(value, size))
    }

    /// What cannot be read counts as no range, as RFC 9110 wants it.
    fn parse(value: &str, size: u64) -> Self {
        let Some((begin, end)) = value.strip_prefix("bytes=").and_then(|it| it.split_once('-'))
        else {
            return Self::All;
        };
        let part = match (begin.trim().parse::<u64>(), end.trim().parse::<u64>()) {
            (Ok(first), Ok(last)) if first <= last => (first, last.min(size.saturating_sub(1))),
            (Ok(first), Err(_)) if end.trim().is_empty() => (first, size.saturating_sub(1)),
            (Err(_), Ok(0)) if begin.trim().is_empty() => return Self::Unsatisfiable,
            (Err(_), Ok(n)) if begin.trim().is_empty() => {
                (size.saturating_sub(n), size.saturating_sub(1))
            }
            _ => return Self::All,
        };
        if part.0 >= size {
            return Self::Unsatisfiable;
        }
        Self::Part { first: part.0, last: part.1 }
    }

    /// Returns where to read and how much; `None` when there is nothing to send.
    pub(crate) fn span(self, size: u64) -> Option<(u64, u64)> {
        match self {
            Self::All => Some((0, size)),
            Self::Part { first, last } => Some((first, last - first + 1)),
            Self::Unsatisfiable => None,
        }
    }

    /// Makes the response around a body.
    pub(crate) fn head(self, size: u64, body: Body) -> Response {
        let mut response = Response::new(body);
        let (status, content_range) = match self {
            Self::All => (StatusCode::OK, None),
            Self::Part { first, last } => {
                (StatusCode::PARTIAL_CONTENT, Some(format!("bytes {first}-{last}/{size}")))
            }
            Self::Unsatisfiable => {
                (StatusCode::RANGE_NOT_SATISFIABLE, Some(format!("bytes */{size}")))
            }
        };
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        let n = self.span(size).map_or(0, |(_, n)| n);
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(n));
        if let Some(value) = content_range.and_then(|it| HeaderValue::try_from(it).ok()) {
            headers.insert(header::CONTENT_RANGE, value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::Range::{All, Part, Unsatisfiable};
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let cases = [
            ("bytes=0-3", Part { first: 0, last: 3 }),
            ("bytes=4-", Part { first: 4, last: 9 }),
            ("bytes=-3", Part { first: 7, last: 9 }),
            ("bytes=-99", Part { first: 0, last: 9 }),
            ("bytes=5-99", Part { first: 5, last: 9 }),
            ("bytes=10-", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
            ("bytes=3-1", All),
            ("bytes=0-1,4-5", All),
            ("items=0-1", All),
            ("bytes=x-", All),
        ];
        for (value, range) in cases {
            assert_eq!(Range::parse(value, 10), range, "{value}");
        }
        assert_eq!(Range::parse("bytes=0-", 0), Unsatisfiable);
    }
}
