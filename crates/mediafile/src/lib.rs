//! What a media file is, what it is called, where it may come from, and its preview.
