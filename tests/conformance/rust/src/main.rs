// SPDX-License-Identifier: Apache-2.0
//! What opendal's service "oss" does, against the server at STORE; the results are TAP.

use std::env::var;
use std::future::Future;
use std::time::Duration;

use opendal::{services, ErrorKind, Operator};

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

const NAMES: [&str; 5] = ["plain", "a b+c%2F&=", "中文/é", "(x)!*'~", "dir/deep/name.txt"];

fn operator(root: &str) -> opendal::Result<Operator> {
    let oss = services::Oss::default()
        .bucket("opendal")
        .endpoint(&var("STORE").unwrap())
        .addressing_style("path")
        .access_key_id(&var("KEY_ID").unwrap())
        .access_key_secret(&var("KEY_SECRET").unwrap())
        .root(root);
    Operator::new(oss)
}

fn bytes(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i * 31 + (i >> 8)) as u8).collect()
}

async fn check(op: Operator) -> Outcome {
    op.check().await?;
    Ok(())
}

async fn write_read_stat(op: Operator) -> Outcome {
    for name in NAMES {
        let told = op.write_with(name, name.as_bytes().to_vec()).content_type("text/x-test")
            .user_metadata([("a".to_string(), "1".to_string())]).await?;
        assert_eq!(op.read(name).await?.to_vec(), name.as_bytes());
        let meta = op.stat(name).await?;
        assert_eq!(meta.content_length(), name.len() as u64);
        assert_eq!(meta.content_type(), Some("text/x-test"));
        assert!(meta.etag().is_some() && meta.last_modified().is_some());
        assert!(told.etag().is_none() || told.etag() == meta.etag());
        assert_eq!(meta.user_metadata().and_then(|m| m.get("a")).map(|v| v.to_string()), Some("1".to_string()));
    }
    op.write("empty", Vec::<u8>::new()).await?;
    assert_eq!(op.read("empty").await?.len(), 0);
    assert_eq!(op.read("missing").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(!op.exists("missing").await?);
    Ok(())
}

async fn ranges(op: Operator) -> Outcome {
    let content = bytes(1000);
    op.write("ranged", content.clone()).await?;
    assert_eq!(op.read_with("ranged").range(10..20).await?.to_vec(), &content[10..20]);
    assert_eq!(op.read_with("ranged").range(990..).await?.to_vec(), &content[990..]);
    assert_eq!(op.read_with("ranged").range(..1000).await?.to_vec(), content);
    let reader = op.reader_with("ranged").chunk(300).concurrent(3).await?;
    assert_eq!(reader.read(100..950).await?.to_vec(), &content[100..950]);
    Ok(())
}

async fn conditions(op: Operator) -> Outcome {
    op.write("key", "x").await?;
    let etag = op.stat("key").await?.etag().unwrap().to_string();
    assert_eq!(op.read_with("key").if_match(&etag).await?.to_vec(), b"x");
    for refused in [op.read_with("key").if_match("\"another\"").await, op.read_with("key").if_none_match(&etag).await] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConditionNotMatch);
    }
    let twice = op.write_with("key", "y").if_not_exists(true).await;
    assert_eq!(twice.unwrap_err().kind(), ErrorKind::ConditionNotMatch);
    Ok(())
}

async fn lists(op: Operator) -> Outcome {
    let all = ["a", "d/1", "d/2", "d/e/3", "中/4 +"];
    for name in all {
        op.write(name, "x").await?;
    }
    let names = |entries: Vec<opendal::Entry>| {
        let mut names: Vec<String> = entries.iter().map(|e| e.path().to_string()).filter(|n| n != "/").collect();
        names.sort();
        names
    };
    assert_eq!(names(op.list("").await?), ["a", "d/", "中/"]);
    assert_eq!(names(op.list("d/").await?), ["d/1", "d/2", "d/e/"]);
    assert_eq!(names(op.list_with("").recursive(true).await?), all);
    assert_eq!(names(op.list_with("").recursive(true).limit(2).await?), all);
    assert_eq!(names(op.list_with("").recursive(true).start_after("d/1").await?), all[2..]);
    assert!(op.list("none/").await?.is_empty());
    Ok(())
}

async fn folders(op: Operator) -> Outcome {
    op.create_dir("made/").await?;
    assert!(op.stat("made/").await?.is_dir());
    op.write("made/x", "x").await?;
    let told = op.list("made/").await?;
    assert!(told.iter().any(|e| e.path() == "made/x"));
    Ok(())
}

async fn copies(op: Operator) -> Outcome {
    op.write("from 中+", "to copy").await?;
    op.copy("from 中+", "to/there").await?;
    assert_eq!(op.read("to/there").await?.to_vec(), b"to copy");
    assert_eq!(op.copy("missing", "x").await.unwrap_err().kind(), ErrorKind::NotFound);
    Ok(())
}

async fn parts(op: Operator) -> Outcome {
    let content = bytes((1 << 20) + 77);
    let mut writer = op.writer_with("parts").chunk(256 << 10).concurrent(3).await?;
    for piece in content.chunks(100_000) {
        writer.write(piece.to_vec()).await?;
    }
    writer.close().await?;
    assert_eq!(op.read("parts").await?.to_vec(), content);
    let mut aborted = op.writer_with("aborted").chunk(256 << 10).await?;
    aborted.write(content).await?;
    aborted.abort().await?;
    assert!(!op.exists("aborted").await?);
    Ok(())
}

async fn appends(op: Operator) -> Outcome {
    for piece in ["one ", "two ", "three"] {
        op.write_with("log", piece).append(true).await?;
    }
    assert_eq!(op.read("log").await?.to_vec(), b"one two three");
    Ok(())
}

async fn presigned(op: Operator) -> Outcome {
    let soon = Duration::from_secs(300);
    let client = reqwest::Client::new();
    for name in NAMES {
        let put = op.presign_write(name, soon).await?;
        let mut headers = put.header().clone();
        headers.remove("content-length"); // of a body that it does not know
        let sent = client.put(put.uri().to_string()).headers(headers).body("by URL").send().await?;
        assert_eq!(sent.status(), 200);
        let get = op.presign_read(name, soon).await?;
        let got = client.get(get.uri().to_string()).headers(get.header().clone()).send().await?;
        assert_eq!(got.text().await?, "by URL");
        let head = op.presign_stat(name, soon).await?;
        assert_eq!(client.head(head.uri().to_string()).send().await?.status(), 200);
    }
    Ok(())
}

async fn deletes(op: Operator) -> Outcome {
    for name in NAMES {
        op.write(name, "x").await?;
    }
    op.delete("plain").await?;
    op.delete("plain").await?;
    op.delete_iter(NAMES.map(String::from)).await?;
    for name in NAMES {
        assert!(!op.exists(name).await?);
    }
    Ok(())
}

/// One line of TAP; a test that panics fails.
async fn run<F>(number: &mut usize, name: &str, test: impl FnOnce(Operator) -> F)
where
    F: Future<Output = Outcome> + Send + 'static,
{
    *number += 1;
    let op = operator(&format!("/{name}/")).expect("an operator");
    let future = test(op);
    let why = match tokio::spawn(async move { future.await.map_err(|e| format!("{e:?}")) }).await {
        Ok(Ok(())) => return println!("ok {number} - {name}"),
        Ok(Err(why)) => why,
        Err(panic) => format!("{panic:?}"),
    };
    println!("not ok {number} - {name}");
    for line in why.lines() {
        println!("# {line}");
    }
}

#[tokio::main]
async fn main() {
    opendal_http_transport_reqwest::install_default();
    let mut number = 0;
    macro_rules! all {
        ($($test:ident),*) => { $(run(&mut number, stringify!($test), $test).await;)* };
    }
    all!(check, write_read_stat, ranges, conditions, lists, folders, copies, parts, appends, presigned, deletes);
    println!("1..{number}");
}
