# SPDX-License-Identifier: MIT
# One session with Python's ftplib, run by ftplib_test.cpp: HOST PORT passive|active. The first
# thing that is not as it should be ends it with a traceback.
import ftplib
import hashlib
import io
import random
import sys

host, port, mode = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def refused(code, command, *arguments):
    try:
        command(*arguments)
    except ftplib.Error as error:
        assert str(error).startswith(code), f"{error} instead of {code}"
        return
    raise AssertionError(f"no error, {code} was expected")


ftp = ftplib.FTP(timeout=20)
assert ftp.connect(host, port).startswith("220 ")
refused("530", ftp.sendcmd, "PWD")
assert ftp.login("alice", "wonderland").startswith("230 ")
ftp.set_pasv(mode == "passive")

# ----- folders
assert ftp.pwd() == "/"
ftp.cwd("files")
assert ftp.pwd() == "/files"
assert ftp.mkd("a \"quoted\" folder") == "/files/a \"quoted\" folder"
ftp.cwd("a \"quoted\" folder")
assert ftp.pwd() == "/files/a \"quoted\" folder"
ftp.cwd("..")
ftp.rmd("a \"quoted\" folder")
refused("550", ftp.cwd, "nowhere")
assert ftp.mkd("grüße 文件") == "/files/grüße 文件"
assert "grüße 文件" in ftp.nlst()
ftp.rmd("grüße 文件")

# ----- bytes
data = random.Random(1).randbytes(2_000_000)
assert ftp.storbinary("STOR data", io.BytesIO(data)).startswith("226 ")
assert ftp.size("data") == len(data)
received = bytearray()
assert ftp.retrbinary("RETR data", received.extend).startswith("226 ")
assert received == data
received.clear()
ftp.retrbinary("RETR data", received.extend, rest=1_500_000)
assert received == data[1_500_000:]
ftp.storbinary("STOR data", io.BytesIO(data[500_000:]), rest=500_000)
received.clear()
ftp.retrbinary("RETR data", received.extend)
assert received == data
ftp.storbinary("APPE data", io.BytesIO(b"more"))
ftp.voidcmd("TYPE I")
assert ftp.size("data") == len(data) + 4
ftp.storbinary("STOR nothing", io.BytesIO())
assert ftp.size("nothing") == 0

# ----- text
ftp.storlines("STOR text", io.BytesIO(b"one\ntwo\nthree"))
lines = []
ftp.retrlines("RETR text", lines.append)
assert lines == ["one", "two", "three"], lines
ftp.voidcmd("TYPE I")

# ----- facts
facts = dict(ftp.mlsd(facts=["type", "size", "modify"]))
assert facts["data"]["type"] == "file", facts
assert int(facts["data"]["size"]) == len(data) + 4, facts
assert facts["."]["type"] == "cdir", facts
assert len(facts["text"]["modify"]) >= 14, facts
stamp = "20200229235959"
assert ftp.voidcmd("MFMT " + stamp + " text").startswith("213 ")
assert ftp.voidcmd("MDTM text") == "213 " + stamp
assert dict(ftp.mlsd("/files"))["text"]["modify"] == stamp
refused("550", list, ftp.mlsd("/nowhere"))

# ----- checksums
assert ftp.sendcmd("OPTS HASH SHA-256").startswith("200 ")
answer = ftp.sendcmd("HASH text").split()
ftp.storbinary("STOR text", io.BytesIO(b"content"))
answer = ftp.sendcmd("HASH text").split()
assert hashlib.sha256(b"content").hexdigest() in [word.lower() for word in answer], answer

# ----- names
ftp.rename("text", "renamed text")
assert "renamed text" in ftp.nlst()
refused("550", ftp.rename, "text", "x")
ftp.delete("renamed text")
refused("550", ftp.delete, "renamed text")
refused("550", ftp.size, "renamed text")
refused("550", ftp.retrbinary, "RETR renamed text", received.extend)
refused("553", ftp.storbinary, "STOR /forbidden", io.BytesIO(b"x"))
shown = []
ftp.dir(shown.append)
assert any(line.endswith(" data") and line.startswith("-rw-r--r--") for line in shown), shown
ftp.dir("-a", shown.append)
assert any(line.endswith(" ..") for line in shown), shown

# ----- a transfer that the client gives up
if mode == "passive":
    data_socket = ftp.transfercmd("RETR data")
    data_socket.recv(1000)
    answers = [ftp.abort()[:3], ftp.getmultiline()[:3]]
    data_socket.close()
    # All of it may have been on its way already.
    assert answers in (["426", "226"], ["226", "225"], ["226", "226"]), answers
    assert ftp.voidcmd("NOOP").startswith("200 ")

assert ftp.quit().startswith("221 ")
print("all is well")
