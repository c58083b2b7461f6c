//! One request and its answer. No retry, no state.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, redirect};
use url::Url;

use super::answer::Answer;
use super::error::{ErrorBody, ModelError};
use super::prompt::Prompt;
use super::sse::Events;
use super::{ApiKey, OpenAiOptions, Timeouts};

/// How many bytes of an answer that is not a stream, or of all events of one
/// that is, are read.
const MOST_BODY: usize = 16 << 20;
/// How many bytes of an error are read.
const MOST_ERROR: usize = 64 << 10;

/// Talks to one endpoint.
pub(super) struct Client {
    http: reqwest::Client,
    endpoint: Url,
    key: Option<ApiKey>,
    timeouts: Timeouts,
    most_answer_bytes: usize,
}

/// The agent cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum OpenAiSetupError {
    /// The address cannot be used.
    #[error("the base URL {0}")]
    Address(&'static str),
    /// The HTTP client could not be set up.
    #[error("the HTTP client could not be set up")]
    Http(#[source] reqwest::Error),
}

impl Client {
    pub(super) fn new(options: &OpenAiOptions) -> Result<Self, OpenAiSetupError> {
        Ok(Self {
            http: http(options).map_err(OpenAiSetupError::Http)?,
            endpoint: endpoint(&options.base_url)?,
            key: options.api_key.clone(),
            timeouts: options.timeouts,
            most_answer_bytes: options.most_answer_bytes.max(1),
        })
    }

    /// Asks and returns the whole answer. Cancel safe: dropping the future ends
    /// the request.
    pub(super) async fn complete(&self, prompt: &Prompt<'_>) -> Result<String, ModelError> {
        let mut request = self.http.post(self.endpoint.clone()).json(prompt);
        request = request.header(ACCEPT, "text/event-stream, application/json");
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.expose());
        }
        let first_byte = self.timeouts.first_byte;
        let response = within(first_byte, request.send()).await?;
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        if is_json(response.headers()) {
            self.read_whole(response).await
        } else {
            self.read_stream(response).await
        }
    }

    async fn read_stream(&self, mut response: Response) -> Result<String, ModelError> {
        let mut answer = Answer::new(self.most_answer_bytes);
        let mut events = Events::default();
        let mut n_read = 0;
        while let Some(bytes) = within(self.timeouts.stall, response.chunk()).await? {
            n_read += bytes.len();
            if n_read > MOST_BODY {
                return Err(ModelError::TooLarge);
            }
            for json in events.feed(&bytes).map_err(|_too_long| ModelError::TooLarge)? {
                answer.take(&self.without_key(&json))?;
            }
            if answer.is_complete() {
                return answer.words();
            }
        }
        if let Some(json) = events.end() {
            answer.take(&self.without_key(&json))?;
        }
        answer.words()
    }

    async fn read_whole(&self, response: Response) -> Result<String, ModelError> {
        let body = self.read(response, MOST_BODY).await?;
        if body.len() == MOST_BODY {
            return Err(ModelError::TooLarge);
        }
        let mut answer = Answer::new(self.most_answer_bytes);
        answer.take(&self.without_key(&String::from_utf8_lossy(&body)))?;
        // It came whole: nothing more could end it.
        answer.take("[DONE]")?;
        answer.words()
    }

    async fn refusal(&self, response: Response) -> ModelError {
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let body = self.read(response, MOST_ERROR).await.unwrap_or_default();
        let text = self.without_key(&String::from_utf8_lossy(&body));
        ModelError::of_status(status, ErrorBody::read(&text), retry_after)
    }

    /// Reads a body up to a length.
    async fn read(&self, mut response: Response, most: usize) -> Result<Vec<u8>, ModelError> {
        let mut body = Vec::new();
        while let Some(bytes) = within(self.timeouts.stall, response.chunk()).await? {
            body.extend_from_slice(&bytes[..bytes.len().min(most - body.len())]);
            if body.len() == most {
                break;
            }
        }
        Ok(body)
    }

    /// Some servers repeat the key in what they say about it.
    fn without_key(&self, text: &str) -> String {
        self.key.as_ref().map_or_else(|| text.to_owned(), |key| key.hidden_in(text))
    }
}

/// The only place where an HTTP client is made. Roots are compiled in beside
/// the machine's own; redirects are not followed, since the key would follow.
fn http(options: &OpenAiOptions) -> Result<reqwest::Client, reqwest::Error> {
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .filter_map(|der| reqwest::Certificate::from_der(der).ok());
    let builder = reqwest::Client::builder()
        .http1_only()
        .tls_certs_merge(roots)
        .connect_timeout(options.timeouts.connect)
        .tcp_keepalive(Duration::from_secs(30))
        .tcp_nodelay(true)
        .pool_idle_timeout(Duration::from_secs(90))
        .redirect(redirect::Policy::none());
    let builder = if options.system_proxy { builder } else { builder.no_proxy() };
    builder.build()
}

fn endpoint(base: &Url) -> Result<Url, OpenAiSetupError> {
    if !matches!(base.scheme(), "http" | "https") {
        return Err(OpenAiSetupError::Address("must begin with http:// or https://"));
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Err(OpenAiSetupError::Address("must not hold a user or a password"));
    }
    let mut endpoint = base.clone();
    endpoint
        .path_segments_mut()
        .map_err(|()| OpenAiSetupError::Address("has no path"))?
        .pop_if_empty()
        .extend(["chat", "completions"]);
    Ok(endpoint)
}

/// Waits for a part of an exchange, but not longer than `limit`.
async fn within<T>(
    limit: Duration,
    part: impl Future<Output = Result<T, reqwest::Error>>,
) -> Result<T, ModelError> {
    let Ok(done) = tokio::time::timeout(limit, part).await else {
        return Err(ModelError::Silent(limit));
    };
    done.map_err(|err| ModelError::Network(chain(&err.without_url())))
}

/// An error and what lies under it, in one line.
fn chain(err: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(err), |err| err.source());
    let words: Vec<String> = causes.map(ToString::to_string).collect();
    words.join(": ")
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.to_ascii_lowercase().contains("json"))
}

/// Reads the header where it holds seconds; the form with a date is not read.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let secs: u64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(secs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(base: &str, expected: Result<&str, &str>) {
        let found = endpoint(&base.parse().unwrap());
        let found = found.map(String::from).map_err(|err| err.to_string());
        assert_eq!(found.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn the_endpoint_is_below_the_base() {
        check("https://a.example/v1", Ok("https://a.example/v1/chat/completions"));
        check("https://a.example/v1/", Ok("https://a.example/v1/chat/completions"));
        check("http://localhost:8080", Ok("http://localhost:8080/chat/completions"));
        check("ftp://a.example", Err("the base URL must begin with http:// or https://"));
        check("https://u:p@a.example", Err("the base URL must not hold a user or a password"));
    }
}
