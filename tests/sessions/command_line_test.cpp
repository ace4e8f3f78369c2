// SPDX-License-Identifier: MIT
// The program as administrators and scripts call it: arguments, output, exit codes.
#include "tests/sessions/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

using namespace sessions;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

Ran jailftpd(std::vector<std::string> arguments, const RunWith& with = {}) {
    arguments.insert(arguments.begin(), path_of(Program::jailftpd));
    return run(arguments, with);
}

// Files that no configuration of these tests names.
std::string file(const char* name, const std::string& content) {
    write_file(place(name), content);
    return place(name);
}

const std::string sound = "listen=YES\nlocal_enable=YES\nanonymous_enable=NO\nlisten_address=127.0.0.1\n";

}  // namespace

TEST(CommandLine, TellsItsVersion) {
    for (const auto* argument : {"-v", "--version", "-vx"}) {
        const auto ran = jailftpd({argument});
        EXPECT_EQ(ran.status, 0);
        EXPECT_THAT(ran.out, HasSubstr("jailftpd")) << argument;
    }
}

TEST(CommandLine, HelpsAndRefusesWhatItDoesNotKnow) {
    const auto help = jailftpd({"--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.out, HasSubstr("--check-config"));
    const auto unknown = jailftpd({"-x"});
    EXPECT_EQ(unknown.status, 2);
    EXPECT_THAT(unknown.err, HasSubstr("-x"));
}

TEST(CommandLine, ChecksASoundFile) {
    for (const auto* argument : {"-t", "--check-config"}) {
        const auto ran = jailftpd({file("x.conf", sound), argument});
        EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
    }
}

TEST(CommandLine, ReportsAllProblemsWithPlaceAndRemedy) {
    const auto path = file("x.conf", sound + "chroot_local_usre=YES\nlocal_umask=abc\npasv_min_port=50000\npasv_max_port=40000\nwrite_enable=maybe\n");
    const auto ran = jailftpd({path, "--check-config"});
    EXPECT_EQ(ran.status, 2);
    const auto all = ran.out + ran.err;
    EXPECT_THAT(all, HasSubstr(path + ":5"));
    EXPECT_THAT(all, HasSubstr("chroot_local_user")) << "did you mean";
    EXPECT_THAT(all, HasSubstr(path + ":6"));
    EXPECT_THAT(all, HasSubstr("local_umask"));
    EXPECT_THAT(all, HasSubstr("pasv_min_port"));
    EXPECT_THAT(all, HasSubstr(path + ":9"));
    EXPECT_THAT(all, HasSubstr("write_enable"));
}

TEST(CommandLine, DoesNotStartWithABadFile) {
    const auto ran = jailftpd({file("x.conf", sound + "no_such_option=YES\n")});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr("no_such_option"));
}

TEST(CommandLine, ReadsFilesAndSettingsFromLeftToRight) {
    const auto one = file("one.conf", sound + "ftpd_banner=one\n");
    const auto two = file("two.conf", "ftpd_banner=two\n");
    EXPECT_THAT(jailftpd({one, two, "--dump-config"}).out, HasSubstr("ftpd_banner=two"));
    EXPECT_THAT(jailftpd({two, one, "--dump-config"}).out, HasSubstr("ftpd_banner=one"));
    EXPECT_THAT(jailftpd({one, "-oftpd_banner=line", "--dump-config"}).out, HasSubstr("ftpd_banner=line"));
    EXPECT_THAT(jailftpd({"-oftpd_banner=line", one, "--dump-config"}).out, HasSubstr("ftpd_banner=one"));
    const auto apart = jailftpd({one, "-o", "ftpd_banner=line"});
    EXPECT_EQ(apart.status, 2);
    EXPECT_THAT(apart.err, HasSubstr("missing value in config file for:"));
}

TEST(CommandLine, DumpsEveryOptionInAFormThatItReads) {
    const auto dumped = jailftpd({file("x.conf", sound), "--dump-config"});
    EXPECT_EQ(dumped.status, 0);
    EXPECT_THAT(dumped.out, HasSubstr("local_enable=YES"));
    EXPECT_THAT(dumped.out, HasSubstr("max_clients=2000"));
    EXPECT_GT(lines_of(dumped.out).size(), 120U);
}

TEST(CommandLine, ReadsTheDefaultFile) {
    write_file("/etc/vsftpd.conf", sound + "ftpd_banner=from the default\n");
    EXPECT_THAT(jailftpd({"--dump-config"}).out, HasSubstr("ftpd_banner=from the default"));
    make_folder("/etc/jailftpd");
    write_file("/etc/jailftpd/vsftpd.conf", sound + "ftpd_banner=from ours\n");
    EXPECT_THAT(jailftpd({"--dump-config"}).out, HasSubstr("ftpd_banner=from ours"));
}

TEST(CommandLine, WantsAListenerOrASocket) {
    const auto ran = jailftpd({file("x.conf", "local_enable=YES\n")});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr("not configured for standalone"));
}

TEST(CommandLine, WantsRoot) {
    write_file(place("own.conf"), sound, alice.uid);
    const auto ran = jailftpd({place("own.conf")}, {.input = {}, .as = alice.uid});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, AnyOf(HasSubstr("root"), HasSubstr("run_as_launching_user")));
}

TEST(CommandLine, HashesPasswords) {
    const auto ran = jailftpd({"passwd"}, {.input = "open sesame\n"});
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_THAT(ran.out, StartsWith("$y$"));
    EXPECT_THAT(ran.out, Not(HasSubstr("sesame")));
    EXPECT_THAT(jailftpd({"passwd", "--method", "sha512"}, {.input = "open sesame\n"}).out, StartsWith("$6$"));
    EXPECT_NE(jailftpd({"passwd"}, {.input = "open sesame\n"}).out, ran.out) << "salted";
}

TEST(CommandLine, RefusesUnsafeTenants) {
    struct Case {
        const char* what;
        std::string ini;
        mode_t mode;
    };
    const auto good = tenant("carl", "sesame");
    const Case cases[] = {
        {"a password in clear", "[tenant carl]\npassword = sesame\nhome = /srv\n", 0600},
        {"a tenant twice", good + good, 0600},
        {"an unknown key", good + "pasword = x\n", 0600},
        {"a line that is too long", good + "home2 = /" + std::string(300, 'x') + "\n", 0600},
        {"a file that others may write to", good, 0666},
        {"root", tenant("carl", "sesame", {"uid = 0"}), 0600},
    };
    for (const auto& [what, ini, mode] : cases) {
        write_file(place("x.ini"), ini, 0, mode);
        const auto ran = jailftpd({file("x.conf", sound), "--ini", place("x.ini"), "--check-config"});
        EXPECT_EQ(ran.status, 2) << what;
        EXPECT_THAT(ran.out + ran.err, HasSubstr("x.ini")) << what;
        EXPECT_THAT(ran.out + ran.err, Not(HasSubstr("sesame"))) << what;
    }
}

TEST(Background, IsGoneIntoOnceItListens) {
    const auto path = file("x.conf", sound + "background=YES\nlisten_port=3131\nxferlog_enable=NO\nsecure_chroot_dir=/run/vsftpd/empty\n");
    const auto ran = jailftpd({path});
    EXPECT_EQ(ran.status, 0) << ran.err;
    const auto socket = connect_to({"127.0.0.1", 3131});
    EXPECT_TRUE(socket) << "it listens when the parent has gone";
    for (const auto& each : processes("jailftpd"))
        if (each.parent == 1 && each.title.find('[') == each.title.npos) ::kill(each.pid, SIGTERM);
    EXPECT_TRUE(eventually([] { return processes("jailftpd").empty(); })) << described(processes());
}

// One configuration of both, whose last listen_port counts; the same with vsftpd.
TEST(CommandLine, MakesOneListenerOfSeveralFiles) {
    for (const auto program : {Program::jailftpd, Program::vsftpd}) {
        if (path_of(program).empty()) continue;
        const auto of_port = [](const char* name, const std::string& port) {
            return file(name, sound + "background=YES\nxferlog_enable=NO\nlisten_port=" + port +
                                  "\n");
        };
        const auto ran =
            run({path_of(program), of_port("one.conf", "3133"), of_port("two.conf", "3134")});
        EXPECT_EQ(ran.status, 0) << ran.err;
        EXPECT_TRUE(eventually([] { return bool(connect_to({"127.0.0.1", 3134})); }));
        EXPECT_FALSE(connect_to({"127.0.0.1", 3133}));
        const auto name = std::filesystem::path(path_of(program)).filename().string();
        const auto gone = [&] {
            for (const auto& each : processes(name))
                if (each.parent == 1) ::kill(each.pid, SIGTERM);
            return processes(name).empty();
        };
        EXPECT_TRUE(eventually(gone)) << described(processes());
    }
}

TEST(Background, IsNotGoneIntoOtherwise) {
    Server server({"background=NO"});
    EXPECT_EQ(server.wait(std::chrono::milliseconds(300)), -1) << "who started it is it";
}

// inetd mode: one connection on descriptor 0.
TEST(CommandLine, ServesOneConnectionForInetd) {
    const auto listener = listen_at({"127.0.0.1", 3132});
    const auto path = file("x.conf", "local_enable=YES\nanonymous_enable=NO\nxferlog_enable=NO\nsecure_chroot_dir=/run/vsftpd/empty\n");
    const auto mine = connect_to({"127.0.0.1", 3132});
    const base::Fd accepted{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::dup2(accepted.get(), 0);
        ::dup2(accepted.get(), 1);
        ::execl(path_of(Program::jailftpd).c_str(), "jailftpd", path.c_str(), nullptr);
        ::_exit(127);
    }
    const auto read_line = [&] {
        std::string line;
        char byte = 0;
        while (::recv(mine.get(), &byte, 1, 0) == 1 && byte != '\n') line += byte;
        return line;
    };
    const auto say = [&](const std::string& line) {
        (void)::send(mine.get(), (line + "\r\n").data(), line.size() + 2, MSG_NOSIGNAL);
        return read_line();
    };
    const timeval limit{15, 0};
    ::setsockopt(mine.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    EXPECT_THAT(read_line(), StartsWith("220"));
    EXPECT_THAT(say("USER alice"), StartsWith("331"));
    EXPECT_THAT(say("PASS wonderland"), StartsWith("230"));
    EXPECT_THAT(say("QUIT"), StartsWith("221"));
    int status = 0;
    EXPECT_TRUE(eventually([&] { return ::waitpid(pid, &status, WNOHANG) == pid; }));
    EXPECT_TRUE(eventually([] { return processes("jailftpd").empty(); })) << described(processes());
}

// ----- configurations as people have them

TEST(DebiansConfiguration, WorksUnchanged) {
    // /etc/vsftpd.conf of Debian's package, its comments left out.
    write_file("/etc/vsftpd.conf",
               "listen=NO\nlisten_ipv6=YES\nanonymous_enable=NO\nlocal_enable=YES\n"
               "dirmessage_enable=YES\nuse_localtime=YES\nxferlog_enable=YES\n"
               "connect_from_port_20=YES\nsecure_chroot_dir=/var/run/vsftpd/empty\n"
               "pam_service_name=vsftpd\n"
               "rsa_cert_file=/etc/ssl/certs/ssl-cert-snakeoil.pem\n"
               "rsa_private_key_file=/etc/ssl/private/ssl-cert-snakeoil.key\nssl_enable=NO\n");
    std::filesystem::remove_all("/var/run/vsftpd");
    Server server(lines_of(content_of("/etc/vsftpd.conf")), {.own_lines = false, .port = 21});
    Conversation ftp(server, alice);
    EXPECT_THAT(ftp.say("PWD"), HasSubstr(home_of(alice).string()));
    EXPECT_THAT(ftp.list(), HasSubstr(" files\r\n"));
    auto data = ftp.open(Conversation::Mode::active);
    EXPECT_THAT(ftp.say("LIST"), StartsWith("150"));
    EXPECT_EQ(data.peer().port(), 20);
    data.read_all();
    EXPECT_EQ(ftp.reply(), "226 Directory send OK.");
    EXPECT_EQ(ftp.say("MKD files/x"), "550 Permission denied.") << "write_enable is off";
    EXPECT_TRUE(eventually([] { return content_of("/var/log/vsftpd.log").find("[alice] OK LOGIN: Client \"127.0.0.1\"") != std::string::npos || content_of("/var/log/vsftpd.log").find("[alice] OK LOGIN: Client \"::ffff:127.0.0.1\"") != std::string::npos; }))
        << content_of("/var/log/vsftpd.log");
    EXPECT_EQ(Conversation(server).login("root", "x"), "530 Login incorrect.");
}

TEST(HostingConfiguration, ServesAJailedHome) {
    // As control panels and container images write it.
    Server server({"chroot_local_user=YES", "allow_writeable_chroot=YES", "seccomp_sandbox=NO",
                   "isolate=NO", "isolate_network=NO", "pasv_enable=YES", "pasv_min_port=21100",
                   "pasv_max_port=21110", "pasv_promiscuous=YES", "pasv_addr_resolve=NO",
                   "user_sub_token=$USER", "local_root=" + place("vhosts").string() + "/$USER",
                   "hide_ids=YES", "ftpd_banner=FTP Server", "reverse_lookup_enable=NO",
                   "file_open_mode=0666", "local_umask=022", "port_enable=YES",
                   "background=NO", "max_clients=50", "max_per_ip=10",
                   "passwd_chroot_enable=YES", "text_userdb_names=YES", "log_ftp_protocol=NO"});
    make_folder(place("vhosts/alice"), alice.uid);
    Conversation ftp(server, alice);
    EXPECT_EQ(ftp.say("PWD"), "257 \"/\" is the current directory");
    EXPECT_EQ(ftp.store("index.html", "<p>"), "226 Transfer complete.");
    EXPECT_EQ(content_of(place("vhosts/alice/index.html")), "<p>");
}
