//! Images and documents of a request: what they are, how long, what they cost.

use imagesize::{ImageType, blob_size, image_type};

use crate::tokens;

/// Formats of images, as Converse names them.
pub(crate) const IMAGE_FORMATS: [&str; 4] = ["png", "jpeg", "gif", "webp"];
/// Formats of documents, as Converse names them.
pub(crate) const DOCUMENT_FORMATS: [&str; 9] = ["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"];
/// A larger image is scaled down to this length of its longer side, in pixels, before it is counted.
const COUNTED_SIDE: f64 = 1_568.0;
/// Pixels of a token.
const PIXELS_PER_TOKEN: f64 = 750.0;
/// Most tokens of an image.
const MAX_IMAGE_TOKENS: f64 = 1_600.0;
/// Tokens of a page of a PDF: between the 1,500 and 3,000 that Anthropic names.
const PAGE_TOKENS: u32 = 2_000;
/// Bytes of an office document that make a token: its text is compressed, and there is much beside it.
const OFFICE_BYTES_PER_TOKEN: usize = 16;

#[derive(Clone, PartialEq)]
pub(crate) struct Image {
    pub(crate) format: String,
    pub(crate) bytes: Vec<u8>,
}

#[derive(Clone, PartialEq)]
pub(crate) struct Document {
    pub(crate) format: String,
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

impl Image {
    /// The format that its bytes begin with, if it is one that models read.
    pub(crate) fn actual_format(&self) -> Option<&'static str> {
        match image_type(&self.bytes) {
            Ok(ImageType::Png) => Some("png"),
            Ok(ImageType::Jpeg) => Some("jpeg"),
            Ok(ImageType::Gif) => Some("gif"),
            Ok(ImageType::Webp) => Some("webp"),
            _ => None,
        }
    }

    /// Width and height in pixels, as its header has them.
    pub(crate) fn size(&self) -> Option<(usize, usize)> {
        let size = blob_size(&self.bytes).ok()?;
        (size.width > 0 && size.height > 0).then_some((size.width, size.height))
    }

    /// Width times height over 750, after it was scaled down.
    pub(crate) fn tokens(&self) -> u32 {
        let Some((width, height)) = self.size() else { return 1 };
        let (width, height) = (width as f64, height as f64);
        let scale = (COUNTED_SIDE / width.max(height)).min(1.0);
        (width * height * scale * scale / PIXELS_PER_TOKEN).clamp(1.0, MAX_IMAGE_TOKENS).ceil() as u32
    }

    /// As in `PNG, 640×480, 12 kB`.
    pub(crate) fn description(&self) -> String {
        let size = self.size().map(|(width, height)| format!("{width}×{height}, ")).unwrap_or_default();
        format!("{}, {size}{}", self.format.to_uppercase(), kilobytes(self.bytes.len()))
    }
}

impl Document {
    /// Its text, if its format is text.
    pub(crate) fn text(&self) -> Option<&str> {
        let is_text = matches!(self.format.as_str(), "csv" | "html" | "txt" | "md");
        std::str::from_utf8(&self.bytes).ok().filter(|_| is_text)
    }

    /// Those of its text; of its pages in a PDF; by its length in an office document.
    pub(crate) fn tokens(&self) -> u32 {
        if let Some(text) = self.text() {
            return tokens::count(text).max(1);
        }
        match self.format.as_str() {
            "pdf" => u32::try_from(self.pages()).unwrap_or(u32::MAX).saturating_mul(PAGE_TOKENS),
            _ => u32::try_from(self.bytes.len().div_ceil(OFFICE_BYTES_PER_TOKEN)).unwrap_or(u32::MAX).max(1),
        }
    }

    /// Page objects of a PDF that are not compressed, at least one.
    fn pages(&self) -> usize {
        let compact: Vec<u8> = self.bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let needle = b"/Type/Page";
        let found = compact.windows(needle.len() + 1);
        found.filter(|window| window.starts_with(needle) && window[needle.len()] != b's').count().max(1)
    }

    /// As in `“Annual report” (PDF, 12 kB)`.
    pub(crate) fn description(&self) -> String {
        format!("“{}” ({}, {})", self.name, self.format.to_uppercase(), kilobytes(self.bytes.len()))
    }
}

fn kilobytes(bytes: usize) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", (bytes + 500) / 1_000),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// A request's bytes belong in no log.
impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image({})", self.description())
    }
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({})", self.description())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A PNG's signature and header; the rest is padding.
    pub(crate) fn png(width: u32, height: u32, length: usize) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
        bytes.resize(length.max(bytes.len()), 0);
        bytes
    }

    fn image(format: &str, bytes: &[u8]) -> Image {
        Image { format: format.to_owned(), bytes: bytes.to_vec() }
    }

    fn document(format: &str, bytes: &[u8]) -> Document {
        Document { format: format.to_owned(), name: "Notes".to_owned(), bytes: bytes.to_vec() }
    }

    #[test]
    fn format_and_size_are_read_from_the_header() {
        let jpeg = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xc0\0\x11\x08\0\x50\0\x78\x03\x01\x22\0\x02\x11\x01\x03\x11\x01";
        let webp = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\x1f\xc0\x07\x00\0\0\0\0\0\0\0\0";
        for (format, bytes, size) in [
            ("png", png(640, 480, 0).as_slice(), (640, 480)),
            ("jpeg", jpeg, (120, 80)),
            ("gif", b"GIF89a\x40\x01\xf0\0\0\0\0", (320, 240)),
            ("webp", webp, (32, 32)),
        ] {
            let image = image(format, bytes);
            assert_eq!((image.actual_format(), image.size()), (Some(format), Some(size)));
        }
        assert_eq!((image("png", b"no image").actual_format(), image("png", b"no image").size()), (None, None));
        assert_eq!(image("png", &png(640, 480, 12_288)).description(), "PNG, 640×480, 12 kB");
    }

    #[test]
    fn an_image_costs_its_pixels_over_750_after_scaling() {
        for (width, height, expected) in
            [(640, 480, 410), (1_000, 1_000, 1_334), (1, 1, 1), (8_000, 8_000, 1_600), (3_136, 200, 210)]
        {
            assert_eq!(image("png", &png(width, height, 0)).tokens(), expected, "{width}×{height}");
        }
    }

    #[test]
    fn a_document_costs_its_text_or_its_pages() {
        assert_eq!(document("md", b"one two three").tokens(), 3);
        assert_eq!(document("pdf", b"%PDF-1.7 << /Type /Pages >> << /Type /Page >> <</Type/Page>>").tokens(), 4_000);
        assert_eq!(document("pdf", b"%PDF-1.7").tokens(), 2_000);
        assert_eq!(document("docx", &[0; 1_600]).tokens(), 100);
        assert_eq!(document("txt", &[0xff]).text(), None);
        assert_eq!(document("txt", b"x").description(), "“Notes” (TXT, 1 bytes)");
    }
}
