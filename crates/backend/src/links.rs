//! The addresses that the backend hands out.

use crate::endpoint::CDN;

/// The CDN's base.
pub(crate) fn cdn(base: &str) -> String {
    format!("{base}/{CDN}")
}

/// What a QR code holds.
pub(crate) fn qr(base: &str, qrcode: &ilink::QrCodeId) -> String {
    format!("{base}/q/{qrcode}")
}

/// Where a media is downloaded. References need no escaping.
pub(crate) fn download(base: &str, reference: &str) -> String {
    format!("{base}/{CDN}/download?encrypted_query_param={reference}")
}

/// Where a media is uploaded, complete. `full` tells it from an address that
/// the client put together.
pub(crate) fn upload(base: &str, ticket: &str) -> String {
    format!("{base}/{CDN}/upload?encrypted_query_param={ticket}&full=1")
}
