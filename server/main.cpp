// SPDX-License-Identifier: MIT
// The command line, or the name of the process that this exec is to be; nothing else.
#include "authenticator/authenticator.hpp"
#include "authenticator/password_tool.hpp"
#include "base/log.hpp"
#include "base/title.hpp"
#include "cells/cells.hpp"
#include "config/command_line.hpp"
#include "config/ini_file.hpp"
#include "config/listen.hpp"
#include "config/load.hpp"
#include "config/serialise.hpp"
#include "greeter/greeter.hpp"
#include "helpers/helpers.hpp"
#include "ipc/admission.hpp"
#include "ipc/certificates.hpp"
#include "proof/explain.hpp"
#include "proof/self_test.hpp"
#include "session/session.hpp"
#include "signer/signer.hpp"
#include "spawner/spawner.hpp"
#include "supervisor/handover.hpp"
#include "supervisor/layers.hpp"
#include "supervisor/roles.hpp"
#include "supervisor/supervisor.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr int failure = 2;  // as vsftpd's "500 OOPS"

// ---- processes that the supervisor execs

base::Result<int> run_process(std::string_view name) {
    ipc::Channel channel{base::Fd{supervisor::channel_descriptor}};
    base::Fd memory{supervisor::configuration_descriptor};
    TRY(auto bytes, ipc::read_sealed(memory, std::size_t{1} << 30));
    memory.close();
    if (name == "spawner") {
        TRY(const auto configuration, config::deserialise(bytes));
        return cells::run(std::move(channel), configuration);
    }
    TRY(auto configuration, config::deserialise(bytes));
    ::explicit_bzero(bytes.data(), bytes.size());
    if (name == "signer") return signer::run(std::move(channel), configuration);
    if (name == "authenticator") return authenticator::run(std::move(channel), configuration);
    if (name == "helper") return helpers::run(std::move(channel), configuration);
    return base::Error{"unknown process name " + std::string(name)};
}

base::log::Level level_named(std::string_view name) {
    if (name == "debug") return base::log::Level::debug;
    if (name == "warning") return base::log::Level::warning;
    if (name == "error") return base::log::Level::error;
    return base::log::Level::info;
}

// ---- words for whoever started the program

void print(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(descriptor, text.data(), text.size());
        if (written <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

bool is_socket(int descriptor) {
    struct stat status {};
    return ::fstat(descriptor, &status) == 0 && S_ISSOCK(status.st_mode);
}

// inetd's client, and whoever measures vsftpd, listen on descriptor 0.
int oops(std::string_view what, std::string_view line) {
    print(STDERR_FILENO, std::string(line) + '\n');
    if (is_socket(STDIN_FILENO)) print(STDIN_FILENO, "500 OOPS: " + std::string(what) + "\r\n");
    return failure;
}

// Every problem; the first error is also told in vsftpd's way.
int report_errors(const config::Problems& problems) {
    for (const auto& each : problems) print(STDERR_FILENO, config::to_text(each) + '\n');
    const auto first = std::find_if(problems.begin(), problems.end(), [](const auto& each) {
        return each.severity == config::Severity::error;
    });
    if (is_socket(STDIN_FILENO)) print(STDIN_FILENO, "500 OOPS: " + first->what + "\r\n");
    return failure;
}

bool needs_root(const config::Loaded& loaded) {
    return ::geteuid() != 0 && !loaded.configuration.options.run_as_launching_user;
}

constexpr const char* no_root =
    "vsftpd: must be started as root (see run_as_launching_user option)";

// ---- the actions of the command line

int show_version(const config::CommandLine& line) {
    const auto loaded = config::load(line);
    if (config::any_error(loaded.problems)) return report_errors(loaded.problems);
    print(is_socket(STDIN_FILENO) ? STDIN_FILENO : STDOUT_FILENO,
          "jailftpd: version " JAILFTPD_VERSION "\n");
    return 0;
}

// What the signer has found, with the place of the option that it is about.
config::Problem about_tls(const config::Configuration& configuration, config::Severity severity,
                          std::string what) {
    const auto [option, remedy, section] = signer::blame(configuration.options, what);
    if (!section.empty())
        return config::at_setting(configuration, severity, section, option, std::move(what),
                                  std::string(remedy));
    return config::at_option(configuration, severity, std::string(option), std::move(what),
                             std::string(remedy));
}

// What the signer would find; not behind an error, which may be about the same files.
void try_tls(config::Loaded& loaded) {
    const auto& configuration = loaded.configuration;
    if (!configuration.options.ssl_enable || config::any_error(loaded.problems)) return;
    const auto tried = signer::try_out(configuration);
    if (!tried)
        loaded.problems.push_back(
            about_tls(configuration, config::Severity::error, tried.error().text()));
    for (const auto& each : tried ? tried.value() : std::vector<std::string>{})
        loaded.problems.push_back(about_tls(configuration, config::Severity::warning, each));
}

int check_configuration(const config::CommandLine& line) {
    auto loaded = config::load(line);
    config::check(loaded);
    if (!needs_root(loaded)) try_tls(loaded);
    print(STDOUT_FILENO, config::report(loaded));
    if (needs_root(loaded)) {
        print(STDOUT_FILENO,
              "what isolates sessions here, and keys, were not tried, since it takes root\n");
        return config::any_error(loaded.problems) ? failure : 0;
    }
    const auto layers = jail::probe();
    const auto settled = supervisor::settle(loaded.configuration, layers);
    if (!settled) print(STDOUT_FILENO, "error: " + settled.error().text() + '\n');
    for (const auto& each : supervisor::remarks(loaded.configuration, layers))
        print(STDOUT_FILENO, "warning: " + each + '\n');
    return settled && !config::any_error(loaded.problems) ? 0 : failure;
}

int dump_configuration(const config::CommandLine& line) {
    const auto loaded = config::load(line);
    if (config::any_error(loaded.problems)) return report_errors(loaded.problems);
    print(STDOUT_FILENO, config::dump(loaded.configuration));
    return 0;
}

// The layers that work here, as a server would find them; nothing is started.
base::Result<config::Configuration> settled_configuration(const config::CommandLine& line) {
    auto loaded = config::load(line);
    config::check(loaded);
    if (config::any_error(loaded.problems)) {
        (void)report_errors(loaded.problems);
        return base::Error{"the configuration has errors"};
    }
    if (needs_root(loaded)) return base::Error{no_root};
    const auto layers = jail::probe();
    TRY(supervisor::settle(loaded.configuration, layers));
    return std::move(loaded.configuration);
}

int explain_user(const config::CommandLine& line) {
    const auto configuration = settled_configuration(line);
    const auto text = configuration ? proof::explain(configuration.value(), line.account)
                                    : base::Result<std::string>(configuration.error());
    if (!text) {
        print(STDERR_FILENO, "jailftpd: error: " + text.error().text() + '\n');
        return failure;
    }
    print(STDOUT_FILENO, text.value());
    return 0;
}

int test_jail(const config::CommandLine& line) {
    base::log::start(base::log::Level::warning);
    auto report = [&]() -> base::Result<proof::Report> {
        TRY(const auto configuration, settled_configuration(line));
        return proof::self_test(configuration, line.account);
    }();
    if (!report) {
        print(STDERR_FILENO, "jailftpd: error: " + report.error().text() + '\n');
        return failure;
    }
    print(STDOUT_FILENO, report.value().text);
    return report.value().held ? 0 : 1;
}

// ---- serving

using Configuration = std::shared_ptr<const config::Configuration>;

// SIGHUP: everything once more; nothing when it has an error, which has been logged then.
Configuration reload(const config::CommandLine& line, const std::vector<jail::Layer>& layers) {
    auto loaded = config::load(line);
    config::check(loaded);
    for (const auto& each : loaded.problems) {
        const auto severe = each.severity == config::Severity::error;
        base::log::write(severe ? base::log::Level::error : base::log::Level::warning,
                         config::to_text(each));
    }
    if (config::any_error(loaded.problems)) return nullptr;
    if (needs_root(loaded)) {
        base::log::error(no_root);
        return nullptr;
    }
    if (const auto settled = supervisor::settle(loaded.configuration, layers); !settled) {
        base::log::error(settled.error().text());
        return nullptr;
    }
    return std::make_shared<const config::Configuration>(std::move(loaded.configuration));
}

// background=YES: the caller's process waits here until its child serves or has failed, and ends
// with that word; the child returns, with what it has to call then.
std::function<void()> go_to_background() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0) return {};
    const pid_t pid = ::fork();
    if (pid < 0) return {};
    base::Fd listening{ends[0]};
    auto telling = std::make_shared<base::Fd>(ends[1]);
    if (pid > 0) {
        telling->close();
        char word = 0;
        if (::read(listening.get(), &word, 1) == 1) ::_exit(0);
        int status = 0;
        (void)::waitpid(pid, &status, 0);
        ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : failure);
    }
    (void)::setsid();
    auto nothing = std::make_shared<base::Fd>(::open("/dev/null", O_RDWR | O_CLOEXEC));
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO}) ::dup2(nothing->get(), standard);
    // A terminal or pipe is somebody's who does not mean to wait for the daemon's end; a file or a
    // journal's socket stays.
    struct stat status {};
    const bool stays = ::fstat(STDERR_FILENO, &status) == 0 &&
                       (S_ISREG(status.st_mode) || S_ISSOCK(status.st_mode));
    if (!stays) base::log::use_syslog();
    return [telling, nothing, stays] {
        if (!stays) ::dup2(nothing->get(), STDERR_FILENO);
        nothing->close();
        (void)!::write(telling->get(), "+", 1);
        telling->close();
    };
}

int serve(const config::CommandLine& line) {
    auto loaded = config::load(line);
    config::check(loaded);
    if (config::any_error(loaded.problems)) return report_errors(loaded.problems);
    if (needs_root(loaded)) return oops(no_root, std::string("jailftpd: error: ") + no_root);
    const bool standalone = config::is_standalone(loaded.configuration);
    const auto& handover = loaded.configuration.native.handover;
    if (!standalone && !handover.empty() && supervisor::hand_over(handover, STDIN_FILENO)) return 0;
    base::log::start(level_named(loaded.configuration.native.log_level));
    for (const auto& each : loaded.problems) base::log::warning(config::to_text(each));
    const auto layers = jail::probe();
    if (const auto settled = supervisor::settle(loaded.configuration, layers); !settled)
        return oops(settled.error().text(), "jailftpd: error: " + settled.error().text());
    for (const auto& each : supervisor::remarks(loaded.configuration, layers))
        base::log::warning(each);
    const auto& options = loaded.configuration.options;
    if (options.ssl_enable) base::log::info(supervisor::about_kernel_tls(loaded.configuration));
    supervisor::Setup setup;
    if (options.background && standalone) setup.ready = go_to_background();
    setup.configuration =
        std::make_shared<const config::Configuration>(std::move(loaded.configuration));
    const auto configuration = setup.configuration;
    setup.reload = [line, layers] { return reload(line, layers); };
    base::title::set(standalone ? "jailftpd: LISTENER" : "jailftpd: supervisor");
    base::log::write_in_a_thread();
    auto served = supervisor::run(std::move(setup));
    base::log::finish();
    // At once, for a thread may hang in a reload that nobody waits for any more.
    if (served) ::_exit(served.value());
    const auto what = served.error().text();
    return oops(what,
                what.starts_with("SSL: ")
                    ? config::to_text(about_tls(*configuration, config::Severity::error, what))
                    : "jailftpd: error: " + what);
}

int act(const std::vector<std::string_view>& arguments) {
    if (!arguments.empty() && arguments.front() == "passwd")
        return authenticator::passwd_main({arguments.begin() + 1, arguments.end()});
    const auto line = config::parse_command_line(arguments);
    if (!line)
        return oops(line.error().what, "jailftpd: error: " + line.error().what +
                                           " (jailftpd --help lists what there is)");
    switch (line.value().action) {
        case config::Action::help:
            print(STDOUT_FILENO, config::help_text());
            return 0;
        case config::Action::version:
            return show_version(line.value());
        case config::Action::check:
            return check_configuration(line.value());
        case config::Action::dump:
            return dump_configuration(line.value());
        case config::Action::explain:
            return explain_user(line.value());
        case config::Action::self_test:
            return test_jail(line.value());
        case config::Action::serve:
            break;
    }
    return serve(line.value());
}

// A closed standard descriptor would be the number of the next socket.
bool open_standard_descriptors() {
    for (;;) {
        const int number = ::open("/dev/null", O_RDWR);
        if (number < 0) return errno == ENOENT;  // a root without /dev: what is open stays open
        if (number > STDERR_FILENO) return ::close(number) == 0;
    }
}

}  // namespace

int main(int argc, char** argv) {
    base::title::prepare(argc, argv);
    if (!open_standard_descriptors()) return failure;
    (void)std::signal(SIGPIPE, SIG_IGN);
    (void)std::signal(SIGXFSZ, SIG_IGN);  // a limit on files is an error of their writer
    const std::vector<std::string_view> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    try {
        constexpr std::string_view process = "--process=";
        if (arguments.size() == 1 && arguments.front().starts_with(process)) {
            base::log::start(base::log::Level::info);
            const auto ended = run_process(arguments.front().substr(process.size()));
            if (ended) return ended.value();
            base::log::error(ended.error().text());
            return failure;
        }
        return act(arguments);
    } catch (const std::exception& error) {
        base::log::error(std::string("this should not happen: ") + error.what());
        return failure;
    }
}
