//! One media, up to the CDN.

use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Method};
use url::Url;

use super::source::Progress;
use super::uploaded::{Uploaded, UploadedThumb};
use super::{Limits, MediaError, Source, stalled};
use crate::cipher::{Fingerprint, cipher_size};
use crate::client::{Cause, Client, Recovery, join, redact_url, with_query};
use crate::wire::{self, MediaType, header, path};
use crate::{Backoff, FileKey, MediaKey, UploadTicket, UserId};

/// What to upload, and for whom.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The only peer that may be sent this upload.
    pub to: UserId,
    /// What kind of media it is.
    pub kind: MediaType,
    /// The media.
    pub source: Source,
    /// A small picture of it.
    pub thumb: Option<Source>,
}

/// Uploads a media under a new key: measures it, asks for a ticket, sends it
/// encrypted, and tries again with a new ticket where that can help.
///
/// # Errors
///
/// Of the last try. A 4xx answer of the CDN and a refused ticket are final.
pub async fn upload(
    client: &Client,
    upload: &Upload,
    limits: &Limits,
) -> Result<Uploaded, MediaError> {
    let parts = Parts::measure(upload, limits).await?;
    let mut failures = 0;
    loop {
        let err = match parts.put(client, upload, limits).await {
            Ok(uploaded) => return Ok(uploaded),
            Err(err) => err,
        };
        failures += 1;
        let Some(hint) = another_try(&err).filter(|_| failures < limits.tries) else {
            return Err(err);
        };
        tracing::debug!(failures, error = %err, "upload failed; trying again with a new ticket");
        let pause = limits.backoff.delay(failures, hint);
        tokio::time::sleep(Backoff::spread(pause, rand::random())).await;
    }
}

/// Decides whether the upload itself tries again, rather than its caller, and
/// passes on when the backend wants it to.
fn another_try(err: &MediaError) -> Option<Option<Duration>> {
    let ours = match err {
        MediaError::Exchange { error, .. } => {
            !matches!(error.cause, Cause::Status { status: 400..=499, .. } | Cause::Refused { .. })
        }
        MediaError::NoTicket | MediaError::NoReference => true,
        // Whoever writes to the source knows when it comes to rest.
        MediaError::SourceChanged
        | MediaError::TooLarge { .. }
        | MediaError::Source(_)
        | MediaError::NoAddress
        | MediaError::HostRefused { .. }
        | MediaError::Cipher(_)
        | MediaError::Store(_) => false,
    };
    match err.recovery() {
        Recovery::Retry { after } if ours => Some(after),
        Recovery::Retry { .. } | Recovery::Relogin | Recovery::GiveUp => None,
    }
}

/// What one upload consists of, measured.
struct Parts<'a> {
    key: MediaKey,
    media: Part<'a>,
    thumb: Option<Part<'a>>,
}

struct Part<'a> {
    source: &'a Source,
    plain: Fingerprint,
}

impl<'a> Parts<'a> {
    async fn measure(upload: &'a Upload, limits: &Limits) -> Result<Self, MediaError> {
        let media = Part::measure(&upload.source, limits).await?;
        let thumb = match &upload.thumb {
            Some(source) => Some(Part::measure(source, limits).await?),
            None => None,
        };
        Ok(Self { key: MediaKey::random(), media, thumb })
    }

    /// One try: a ticket of its own, then the bytes.
    async fn put(
        &self,
        client: &Client,
        upload: &Upload,
        limits: &Limits,
    ) -> Result<Uploaded, MediaError> {
        let file_key = FileKey::random();
        let request = self.ask(upload, &file_key);
        let ticket = client.get_upload_url(request).await;
        let ticket =
            ticket.map_err(|error| MediaError::Exchange { error, reason: String::new() })?;
        let cdn = &client.endpoints().cdn;

        let url = media_address(cdn, &ticket, &file_key)?;
        let reference = self.media.put(client, url, &self.key, limits).await?;
        let mut thumb = None;
        if let Some(part) = &self.thumb {
            let url = thumb_address(cdn, &ticket, &file_key)?;
            let reference = part.put(client, url, &self.key, limits).await?;
            let cipher_size = cipher_size(part.plain.size);
            thumb = Some(UploadedThumb { reference, cipher_size, plain: part.plain });
        }
        Ok(Uploaded {
            reference,
            key: self.key.clone(),
            cipher_size: cipher_size(self.media.plain.size),
            plain: self.media.plain,
            thumb,
        })
    }

    fn ask(&self, upload: &Upload, file_key: &FileKey) -> wire::GetUploadUrl {
        let thumb = self.thumb.as_ref().map(|part| part.plain);
        wire::GetUploadUrl {
            filekey: Some(file_key.clone()),
            media_type: Some(upload.kind),
            to_user_id: Some(upload.to.clone()),
            rawsize: Some(self.media.plain.size),
            rawfilemd5: Some(self.media.plain.md5_hex()),
            filesize: Some(cipher_size(self.media.plain.size)),
            thumb_rawsize: thumb.map(|plain| plain.size),
            thumb_rawfilemd5: thumb.map(|plain| plain.md5_hex()),
            thumb_filesize: thumb.map(|plain| cipher_size(plain.size)),
            no_need_thumb: Some(thumb.is_none()),
            aeskey: Some(self.key.to_hex()),
            ..wire::GetUploadUrl::default()
        }
    }
}

impl<'a> Part<'a> {
    async fn measure(source: &'a Source, limits: &Limits) -> Result<Self, MediaError> {
        Ok(Self { source, plain: source.measure(limits).await? })
    }

    /// Sends the bytes and returns the reference to them.
    async fn put(
        &self,
        client: &Client,
        url: Url,
        key: &MediaKey,
        limits: &Limits,
    ) -> Result<String, MediaError> {
        let size = cipher_size(self.plain.size);
        tracing::debug!(url = %redact_url(url.as_str()), size, "upload starts");
        let (progress, moves) = Progress::new();
        let body = self.source.encrypted(key, self.plain, progress.clone()).await?;
        let request = client
            .http()
            .request(Method::POST, url)
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, size)
            .body(Body::wrap_stream(body));

        let deadline = limits.deadline(size);
        let answer = tokio::select! {
            answer = request.send() => answer.map_err(Cause::of_transport),
            () = stalled(moves, limits.stall) => Err(Cause::Timeout { after: limits.stall }),
            () = tokio::time::sleep(deadline) => Err(Cause::Timeout { after: deadline }),
        };
        if let Some(failure) = progress.failure() {
            return Err(failure);
        }
        let response = answer.map_err(|cause| MediaError::cdn(ENDPOINT, cause))?;
        if !response.status().is_success() {
            return Err(MediaError::status(ENDPOINT, &response));
        }
        let reference = response.headers().get(header::ENCRYPTED_PARAM);
        let reference = reference.and_then(|text| text.to_str().ok()).unwrap_or_default();
        if reference.is_empty() {
            return Err(MediaError::NoReference);
        }
        Ok(reference.to_owned())
    }
}

const ENDPOINT: &str = "cdn upload";

/// Prefers the whole address: the short ticket fails above some 50 to 96 KB
/// for some (one live test).
fn media_address(
    cdn: &Url,
    ticket: &wire::UploadUrl,
    file_key: &FileKey,
) -> Result<Url, MediaError> {
    match ticket.upload_full_url.as_ref().filter(|url| !url.is_empty()) {
        Some(full) => Url::parse(full.expose())
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or(MediaError::NoAddress),
        None => upload_address(cdn, ticket.upload_param.as_ref(), file_key),
    }
}

fn thumb_address(
    cdn: &Url,
    ticket: &wire::UploadUrl,
    file_key: &FileKey,
) -> Result<Url, MediaError> {
    upload_address(cdn, ticket.thumb_upload_param.as_ref(), file_key)
}

fn upload_address(
    cdn: &Url,
    ticket: Option<&UploadTicket>,
    file_key: &FileKey,
) -> Result<Url, MediaError> {
    let ticket = ticket.filter(|ticket| !ticket.is_empty()).ok_or(MediaError::NoTicket)?;
    let query = [("encrypted_query_param", ticket.expose()), ("filekey", file_key.as_str())];
    Ok(with_query(join(cdn, path::CDN_UPLOAD), &query))
}
