//! Takes the files of Swagger UI that the documentation page loads out of the archive that its crate carries.

use std::{
    env,
    error::Error,
    fs,
    io::{Cursor, Read, Write},
    path::Path,
};

use flate2::{Compression, write::GzEncoder};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

const FILES: [&str; 2] = ["swagger-ui-bundle.js", "swagger-ui.css"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");

    let out = env::var("OUT_DIR")?;
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    for file in FILES {
        let content = without_source_map(unpack(&mut archive, file)?);
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(content.as_bytes())?;
        fs::write(Path::new(&out).join(file), content)?;
        fs::write(Path::new(&out).join(format!("{file}.gz")), packed.finish()?)?;
    }
    Ok(())
}

fn unpack(archive: &mut ZipArchive<Cursor<&[u8]>>, file: &str) -> Result<String, Box<dyn Error>> {
    let suffix = format!("/dist/{file}");
    let is_wanted = |index: &usize| matches!(archive.name_for_index(*index), Some(Ok(name)) if name.ends_with(&suffix));
    let index = (0..archive.len()).find(is_wanted);
    let mut content = String::new();
    let index = index.ok_or_else(|| format!("the archive has no {file}"))?;
    archive.by_index(index)?.read_to_string(&mut content)?;
    Ok(content)
}

/// Drops the reference to a source map, which is not served.
fn without_source_map(mut content: String) -> String {
    if let Some(start) = content.rfind("# sourceMappingURL=") {
        content.truncate(start.saturating_sub(2));
    }
    content
}
