//! One exchange under one deadline.

use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::error::Category;

use super::http::{BodyCap, read_body};
use super::{Cause, ClientError, retry_after};
use crate::Code;

/// One exchange with an API endpoint.
#[derive(Clone, Copy)]
pub(super) struct Call {
    pub(super) name: &'static str,
    pub(super) deadline: Duration,
}

impl Call {
    /// Sends the request and reads the whole body of a 2xx answer.
    pub(super) async fn exchange(self, request: RequestBuilder) -> Result<Vec<u8>, ClientError> {
        let exchange = async {
            let response = request.send().await.map_err(Cause::of_transport)?;
            let status = response.status();
            if !status.is_success() {
                return Err(Cause::Status {
                    status: status.as_u16(),
                    retry_after: retry_after(response.headers()),
                });
            }
            read_body(response, BodyCap::API).await
        };
        let outcome = tokio::time::timeout(self.deadline, exchange).await;
        let outcome = outcome.unwrap_or(Err(Cause::Timeout { after: self.deadline }));
        outcome.map_err(|cause| self.failed(cause))
    }

    pub(super) fn parse<T>(
        self,
        body: &[u8],
        read: impl FnOnce(&[u8]) -> serde_json::Result<T>,
    ) -> Result<T, ClientError> {
        read(body).map_err(|err| {
            // A mismatch is told with the value that did not match, which may be a secret.
            let reason = match err.classify() {
                Category::Data => "JSON of another form".to_owned(),
                Category::Syntax | Category::Eof | Category::Io => err.to_string(),
            };
            self.failed(Cause::Malformed(reason))
        })
    }

    /// Turns a business error in a 200 body into an error that cannot be overlooked.
    pub(super) fn accepted(
        self,
        ret: Option<Code>,
        errcode: Option<Code>,
        errmsg: Option<&str>,
    ) -> Result<(), ClientError> {
        let refused = [ret, errcode].into_iter().flatten().find(|code| !code.is_ok());
        match refused {
            None => Ok(()),
            Some(code) => {
                let errmsg = errmsg.unwrap_or_default().chars().take(LONGEST_ERRMSG).collect();
                Err(self.failed(Cause::Refused { code, errmsg }))
            }
        }
    }

    fn failed(self, cause: Cause) -> ClientError {
        ClientError { endpoint: self.name, cause }
    }
}

/// A reason is a line, not a page.
const LONGEST_ERRMSG: usize = 300;
