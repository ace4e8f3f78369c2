// SPDX-License-Identifier: MIT
// Replies made from values, and replies as bytes; runs in greeter and session.
#include "ftp/replies.hpp"

#include "base/text.hpp"
#include "ftp/path.hpp"

#include <array>
#include <cstdio>
#include <cstring>

namespace ftp {
namespace {

constexpr std::string_view line_end = "\r\n";

void append_escaped(std::string& wire, std::string_view text) {
    for (const char byte : text) {
        if (byte == '\xFF') wire += byte;
        wire += byte == '\n' ? '\0' : byte;
    }
}

void append_line(std::string& wire, int code, char separator, std::string_view text) {
    wire += std::to_string(code);
    wire += separator;
    append_escaped(wire, text);
    wire += line_end;
}

// RFC 959, 4.2: a line within must not look like the last one.
void append_bare_line(std::string& wire, std::string_view text) {
    if (!text.empty() && text.front() >= '0' && text.front() <= '9') wire += ' ';
    append_escaped(wire, text);
    wire += line_end;
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    if (text.ends_with('\n')) text.remove_suffix(1);
    for (auto line : base::split(text, '\n')) {
        while (line.ends_with('\r')) line.remove_suffix(1);
        lines.emplace_back(line);
    }
    return lines;
}

std::string octal(unsigned mask) {
    std::array<char, 16> text{};
    const int length = std::snprintf(text.data(), text.size(), mask == 0 ? "%o" : "0%o", mask);
    return {text.data(), static_cast<std::size_t>(length)};
}

std::string text_of(std::string_view text) { return std::string(text); }

}  // namespace

std::string wire(const Reply& reply) {
    std::string result;
    for (std::size_t i = 0; i < reply.before.size(); ++i) {
        if (reply.numbered || i == 0) {
            append_line(result, reply.code, '-', reply.before[i]);
        } else {
            append_bare_line(result, reply.before[i]);
        }
    }
    append_line(result, reply.code, ' ', reply.text);
    return result;
}

std::string wire_line(std::string_view line) {
    std::string result;
    append_bare_line(result, line);
    return result;
}

std::string wire_first(const Fixed& fixed) {
    std::string result;
    append_line(result, fixed.code, '-', fixed.text);
    return result;
}

Reply because(const Fixed& fixed, std::string_view reason) {
    Reply result = fixed;
    if (!reason.empty()) result.text += " (" + text_of(reason) + ')';
    return result;
}

Reply because(const Fixed& fixed, int error_number) {
    if (error_number == not_a_regular_file) return because(fixed, "Not a regular file");
    return because(fixed, error_number == 0 ? std::string_view{} : std::strerror(error_number));
}

Reply with_message(const Reply& reply, std::string_view message) {
    Reply result = reply;
    if (!message.empty()) {
        auto lines = lines_of(message);
        result.before.insert(result.before.begin(), lines.begin(), lines.end());
    }
    return result;
}

namespace reply {

Reply oops(std::string_view text) { return {500, "OOPS: " + text_of(text)}; }

Reply current_folder(std::string_view path) {
    return {257, quoted(path) + " is the current directory"};
}

Reply folder_made(std::string_view path) { return {257, quoted(path) + " created"}; }

Reply passive(std::string_view text) { return {227, text_of(text)}; }

Reply extended_passive(std::string_view text) { return {229, text_of(text)}; }

Reply opening(bool ascii, std::string_view name, std::uint64_t size) {
    return {150, std::string("Opening ") + (ascii ? "ASCII" : "BINARY") +
                     " mode data connection for " + text_of(name) + " (" + std::to_string(size) +
                     " bytes)."};
}

Reply opening_unique(std::string_view name) { return {150, "FILE: " + text_of(name)}; }

Reply restart_accepted(std::uint64_t position) {
    return {350, "Restart position accepted (" + std::to_string(position) + ")."};
}

Reply range_accepted(std::uint64_t start, std::uint64_t end) {
    return {350, "Restart position accepted (" + std::to_string(start) + "), end byte " +
                     std::to_string(end) + '.'};
}

Reply size(std::uint64_t bytes) { return {213, std::to_string(bytes)}; }

Reply modified(std::string_view time) { return {213, text_of(time)}; }

Reply available(std::uint64_t bytes) { return {213, std::to_string(bytes)}; }

Reply umask_is(unsigned mask) { return {200, "Your current UMASK is " + octal(mask)}; }

Reply umask_set(unsigned mask) { return {200, "UMASK set to " + octal(mask)}; }

Reply banner(std::string_view text) {
    if (text.find('\n') == text.npos) return {220, text_of(text)};
    return with_message({220, ""}, text);
}

Reply facts_set(std::string_view facts, std::string_view name) {
    return {213, text_of(facts) + ' ' + text_of(name)};
}

Reply facts(std::string_view name, std::string_view fact_line) {
    Reply result{250, "End"};
    result.before = {"Listing " + text_of(name), ' ' + text_of(fact_line)};
    result.numbered = false;
    return result;
}

Reply hash(std::string_view algorithm, std::uint64_t first, std::uint64_t last,
           std::string_view hex, std::string_view name) {
    return {213, text_of(algorithm) + ' ' + std::to_string(first) + '-' + std::to_string(last) +
                     ' ' + text_of(hex) + ' ' + text_of(name)};
}

Reply mlst_options(std::string_view fact_names) {
    return {200, fact_names.empty() ? "MLST OPTS" : "MLST OPTS " + text_of(fact_names)};
}

Reply hash_option(std::string_view algorithm) { return {200, text_of(algorithm)}; }

Reply help() {
    Reply result{214, "Help OK."};
    result.before = {
        "The following commands are recognized.",
        " ABOR ACCT ALLO APPE AUTH AVBL CDUP CLNT CWD  DELE EPRT EPSV FEAT HASH",
        " HELP HOST LIST MDTM MFF  MFMT MKD  MLSD MLST MODE NLST NOOP OPTS PASS",
        " PASV PBSZ PORT PROT PWD  QUIT RANG REIN REST RETR RMD  RNFR RNTO SITE",
        " SIZE SMNT STAT STOR STOU STRU SYST TYPE USER XCUP XCWD XMKD XPWD XRMD",
    };
    result.numbered = false;
    return result;
}

Reply help_site(bool chmod) { return chmod ? site_help : site_help_no_chmod; }

Reply status(const Status& status) {
    const auto line = [](std::string_view text) { return std::string(5, ' ') += text; };
    Reply result{211, "End of status"};
    result.numbered = false;
    result.before = {
        "FTP server status:",
        line("Connected to ") += status.peer,
        line("Logged in as ") += status.user,
        line("TYPE: ") += status.ascii ? "ASCII" : "BINARY",
        status.rate == 0
            ? line("No session bandwidth limit")
            : line("Session bandwidth limit in byte/s is ") += std::to_string(status.rate),
        status.timeout == 0
            ? line("No session timeout")
            : line("Session timeout in seconds is ") += std::to_string(status.timeout),
        line(status.control_encrypted ? "Control connection is encrypted"
                                      : "Control connection is plain text"),
        line(status.data_encrypted ? "Data connections will be encrypted"
                                   : "Data connections will be plain text"),
    };
    if (status.clients > 0) {
        result.before.push_back(line("At session startup, client count was ") +=
                                std::to_string(status.clients));
    }
    result.before.push_back(line("jailftpd - secure, fast, stable"));
    return result;
}

const Fixed& protection(std::string_view level) {
    const auto letter = base::upper(level);
    if (letter == "C") return prot_clear;
    if (letter == "P") return prot_private;
    return letter == "S" || letter == "E" ? prot_unsupported : prot_unknown;
}

}  // namespace reply
}  // namespace ftp
