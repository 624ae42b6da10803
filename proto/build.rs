//! Compiles every `.proto` file of this crate without a system `protoc`.

#[path = "build/redact.rs"]
mod redact;

use std::{
    env,
    error::Error,
    fs, io,
    path::{Path, PathBuf},
};

use prost_reflect::DescriptorPool;

fn main() -> Result<(), Box<dyn Error>> {
    let mut files = Vec::new();
    find(Path::new("."), &mut files)?;
    files.sort();

    let mut compiler = protox::Compiler::new(["."])?;
    compiler
        .include_source_info(true)
        .include_imports(true)
        .open_files(files)?;

    // Encoded by protox itself: a set that went through prost-types would have lost the option extensions.
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let descriptors = compiler.encode_file_descriptor_set();
    let redacted = redact::messages(&DescriptorPool::decode(descriptors.as_slice())?)?;
    fs::write(out.join("descriptors.bin"), descriptors)?;

    tonic_prost_build::configure()
        .skip_debug(redacted.iter().map(|message| format!(".{}", message.full_name())))
        .compile_fds(compiler.file_descriptor_set())?;
    redact::append(&redacted, &out)?;
    Ok(())
}

/// Takes in the files below a folder, each by its path from this crate's: the name that imports call it by.
fn find(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            // Its folder, too: a file that is added or goes is noticed.
            println!("cargo:rerun-if-changed={}", path.display());
            println!("cargo:rerun-if-changed={}", folder.display());
            files.push(path.strip_prefix(".").unwrap_or(&path).to_owned());
        }
    }
    Ok(())
}
