// SPDX-License-Identifier: MIT
// Sessions over TLS with node's basic-ftp, run by ftps_test.cpp: MODULE HOST PORT explicit|implicit TREE BACK. The
// first thing that is not as it should be ends it with a stack trace.
"use strict";
const assert = require("assert");
const fs = require("fs");
const path = require("path");

const [modulePath, host, port, kind, tree, back] = process.argv.slice(2);
const ftp = require(modulePath);

async function session(version) {
    const client = new ftp.Client(20000);
    await client.access({
        host, port: Number(port), user: "alice", password: "wonderland",
        secure: kind === "implicit" ? "implicit" : true,
        secureOptions: { rejectUnauthorized: false, minVersion: version, maxVersion: version },
    });
    assert.strictEqual(client.ftp.socket.getProtocol(), version);
    await client.uploadFromDir(tree, "files/tree");
    await client.cd("/");
    await client.downloadToDir(path.join(back, version), "files/tree");
    const sizes = new Map((await client.list("files/tree")).map(each => [each.name, each.size]));
    assert.strictEqual(sizes.get("large.bin"), fs.statSync(path.join(tree, "large.bin")).size);
    await client.removeDir("/files/tree");
    assert.deepStrictEqual((await client.list("/files")).map(each => each.name), []);
    client.close();
}

(async () => {
    for (const version of ["TLSv1.2", "TLSv1.3"]) await session(version);
    console.log("all is well");
})().catch(error => {
    console.error(error.stack);
    process.exit(1);
});
