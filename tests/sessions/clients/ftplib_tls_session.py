# SPDX-License-Identifier: MIT
# Sessions over TLS with Python's ftplib, run by ftps_test.cpp: HOST PORT resumed|anew. With "resumed"
# the server wants data connections to resume. The first thing that is not as it should be ends it
# with a traceback.
import ftplib
import io
import random
import ssl
import sys

host, port, reuse = sys.argv[1], int(sys.argv[2]), sys.argv[3]


class Resuming(ftplib.FTP_TLS):
    """As everybody writes it for servers that require session reuse."""

    def ntransfercmd(self, cmd, rest=None):
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if self._prot_p:
            connection = self.context.wrap_socket(
                connection, server_hostname=self.host, session=self.sock.session)
        return connection, size


def context(version):
    made = ssl.create_default_context()
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.minimum_version = made.maximum_version = version
    return made


def session(kind, version):
    ftp = kind(context=context(version), timeout=20)
    ftp.connect(host, port)
    assert ftp.login("alice", "wonderland").startswith("230 ")
    ftp.prot_p()
    ftp.cwd("files")
    for round in range(5):
        assert ftp.storbinary("STOR data", io.BytesIO(data)).startswith("226 ")
        received = bytearray()
        assert ftp.retrbinary("RETR data", received.extend).startswith("226 ")
        assert received == data
        assert ftp.storbinary("STOR empty", io.BytesIO()).startswith("226 ")
        assert ftp.size("empty") == 0
        assert sorted(ftp.nlst()) == ["data", "empty"]
        assert dict(ftp.mlsd())["data"]["type"] == "file"
    assert ftp.quit().startswith("221 ")


def refused(version):
    ftp = ftplib.FTP_TLS(context=context(version), timeout=20)
    ftp.connect(host, port)
    ftp.login("alice", "wonderland")
    ftp.prot_p()
    try:
        ftp.storbinary("STOR files/refused", io.BytesIO(data))
        raise AssertionError("a session that was not resumed got through")
    except ssl.SSLError:
        pass
    try:
        ftp.voidresp()
        raise AssertionError("522 was expected")
    except ftplib.error_perm as error:
        assert str(error).startswith("522 "), error
    assert ftp.voidcmd("NOOP").startswith("200 ")


data = random.Random(1).randbytes(2_000_000)
for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
    session(Resuming, version)
    if reuse == "resumed":
        refused(version)
    else:
        session(ftplib.FTP_TLS, version)

print("all is well")
