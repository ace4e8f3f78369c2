// SPDX-License-Identifier: MIT
// Every code and text that the server sends, in vsftpd's words where it has them; runs in greeter,
// session and supervisor's refusals. Texts that are made from values are functions at the end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ftp {

// A reply whose text never changes.
struct Fixed {
    int code = 0;
    std::string_view text;
};

struct Reply {
    int code = 0;
    std::string text;  // of the last line

    // Lines in front of it. `numbered`: each "250-LINE" (messages); else the first "211-LINE" and
    // the others bare (FEAT, STAT, MLST).
    std::vector<std::string> before{};
    bool numbered = true;

    Reply() = default;
    Reply(int number, std::string words) : code(number), text(std::move(words)) {}
    Reply(const Fixed& fixed)
        : code(fixed.code), text(fixed.text) {}  // NOLINT: replies are returned

    bool operator==(const Reply&) const = default;
};

// What goes over the wire: CRLF, 0xFF doubled (telnet), LF as NUL.
[[nodiscard]] std::string wire(const Reply& reply);

// The same for one bare line, when the lines of a long STAT are sent as they come.
[[nodiscard]] std::string wire_line(std::string_view line);
[[nodiscard]] std::string wire_first(const Fixed& fixed);  // "213-Status follows:"

// In place of an error number: the kernel has none for a FIFO or device where a file should be.
inline constexpr int not_a_regular_file = -1;

// "550 Failed to open file. (No such file or directory)"; an empty reason adds nothing.
[[nodiscard]] Reply because(const Fixed& fixed, std::string_view reason);
[[nodiscard]] Reply because(const Fixed& fixed, int error_number);

// A message file's text, each line in front of the reply: "250-Welcome".
[[nodiscard]] Reply with_message(const Reply& reply, std::string_view message);

namespace reply {

// clang-format off
// Connection and login                     code  text
inline constexpr Fixed greeting             {220, "(jailftpd)"};
inline constexpr Fixed too_many_clients     {421, "There are too many connected users, please try later."};
inline constexpr Fixed too_many_per_address {421, "There are too many connections from your internet address."};
inline constexpr Fixed not_available        {421, "Service not available."};
inline constexpr Fixed shutting_down        {421, "Server is shutting down, please try later."};
inline constexpr Fixed timeout              {421, "Timeout."};
inline constexpr Fixed data_timeout         {421, "Data timeout. Reconnect. Sorry."};
inline constexpr Fixed goodbye              {221, "Goodbye."};
inline constexpr Fixed line_too_long        {500, "Input line too long."};
inline constexpr Fixed http_refused         {500, "HTTP protocol commands not allowed."};
inline constexpr Fixed too_many_errors      {500, "Too many errors."};
inline constexpr Fixed please_login         {530, "Please login with USER and PASS."};
inline constexpr Fixed specify_password     {331, "Please specify the password."};
inline constexpr Fixed any_password         {331, "Any password will do."};
inline constexpr Fixed anonymous_only       {530, "This FTP server is anonymous only."};
inline constexpr Fixed login_first          {503, "Login with USER first."};
inline constexpr Fixed login_successful     {230, "Login successful."};
inline constexpr Fixed logged_in_by_certificate{232, "Login successful, by certificate."};
inline constexpr Fixed already_logged_in    {230, "Already logged in."};
inline constexpr Fixed login_incorrect      {530, "Login incorrect."};
inline constexpr Fixed login_denied         {530, "Permission denied."};
inline constexpr Fixed cannot_change_user   {530, "Can't change to another user."};
inline constexpr Fixed cannot_change_guest  {530, "Can't change from guest user."};
inline constexpr Fixed local_needs_tls      {530, "Non-anonymous sessions must use encryption."};
inline constexpr Fixed anonymous_needs_tls  {530, "Anonymous sessions must use encryption."};
inline constexpr Fixed anonymous_without_tls{530, "Anonymous sessions may not use encryption."};

// Any command
inline constexpr Fixed unknown_command      {500, "Unknown command."};
inline constexpr Fixed permission_denied    {550, "Permission denied."};
inline constexpr Fixed noop_ok              {200, "NOOP ok."};
inline constexpr Fixed client_noted         {200, "Don't care."};  // CLNT
inline constexpr Fixed system_type          {215, "UNIX Type: L8"};
inline constexpr Fixed binary_type          {200, "Switching to Binary mode."};
inline constexpr Fixed ascii_type           {200, "Switching to ASCII mode."};
inline constexpr Fixed bad_type             {500, "Unrecognised TYPE command."};
inline constexpr Fixed structure_file       {200, "Structure set to F."};
inline constexpr Fixed bad_structure        {504, "Bad STRU command."};
inline constexpr Fixed mode_stream          {200, "Mode set to S."};
inline constexpr Fixed bad_mode             {504, "Bad MODE command."};
inline constexpr Fixed allo_ignored         {202, "ALLO command ignored."};
inline constexpr Fixed rein_unsupported     {502, "REIN not implemented."};
inline constexpr Fixed acct_unsupported     {502, "ACCT not implemented."};
inline constexpr Fixed smnt_unsupported     {502, "SMNT not implemented."};
inline constexpr Fixed utf8_always          {200, "Always in UTF8 mode."};
inline constexpr Fixed option_not_understood{501, "Option not understood."};
inline constexpr Fixed bad_argument         {501, "Syntax error in parameters or arguments."};
inline constexpr Fixed file_name_too_long   {553, "File name too long."};

// Folders
inline constexpr Fixed folder_changed       {250, "Directory successfully changed."};
inline constexpr Fixed folder_not_changed   {550, "Failed to change directory."};
inline constexpr Fixed mkdir_failed         {550, "Create directory operation failed."};
inline constexpr Fixed rmdir_done           {250, "Remove directory operation successful."};
inline constexpr Fixed rmdir_failed         {550, "Remove directory operation failed."};

// Data connections
inline constexpr Fixed use_port_or_pasv     {425, "Use PORT or PASV first."};
inline constexpr Fixed no_data_connection   {425, "Failed to establish connection."};
inline constexpr Fixed bad_ip_connecting    {425, "Security: Bad IP connecting."};
inline constexpr Fixed no_passive_port      {425, "No passive port is free, please try later."};
inline constexpr Fixed no_ipv4_address      {425, "There is no IPv4 address to tell, use EPSV."};
inline constexpr Fixed port_ok              {200, "PORT command successful. Consider using PASV."};
inline constexpr Fixed bad_port             {500, "Illegal PORT command."};
inline constexpr Fixed eprt_ok              {200, "EPRT command successful. Consider using EPSV."};
inline constexpr Fixed bad_eprt             {500, "Bad EPRT command."};
inline constexpr Fixed bad_eprt_protocol    {500, "Bad EPRT protocol."};
inline constexpr Fixed illegal_eprt         {500, "Illegal EPRT command."};
inline constexpr Fixed epsv_all_ok          {200, "EPSV ALL ok."};
inline constexpr Fixed bad_epsv_protocol    {522, "Bad network protocol."};

// Transfers
inline constexpr Fixed send_data            {150, "Ok to send data."};
inline constexpr Fixed listing_follows      {150, "Here comes the directory listing."};
inline constexpr Fixed listing_complete     {226, "Directory send OK."};
inline constexpr Fixed listing_failed       {226, "Transfer done (but failed to open directory)."};
inline constexpr Fixed listing_unavailable  {550, "Failed to open directory."};
inline constexpr Fixed listing_too_large    {451, "The listing was cut short."};
inline constexpr Fixed pattern_too_costly   {550, "The pattern takes too long to match."};
inline constexpr Fixed transfer_complete    {226, "Transfer complete."};
inline constexpr Fixed could_not_open       {550, "Failed to open file."};
inline constexpr Fixed could_not_create     {553, "Could not create file."};
inline constexpr Fixed no_ascii_resume      {550, "No support for resume of ASCII transfer."};
inline constexpr Fixed network_write_failed {426, "Failure writing network stream."};
inline constexpr Fixed network_read_failed  {426, "Failure reading network stream."};
inline constexpr Fixed file_read_failed     {451, "Failure reading local file."};
inline constexpr Fixed file_write_failed    {451, "Failure writing to local file."};
inline constexpr Fixed no_space             {452, "Failure writing to local file."};
inline constexpr Fixed file_shrank          {426, "Failure reading local file."};
inline constexpr Fixed abor_done            {226, "ABOR successful."};
inline constexpr Fixed nothing_to_abort     {225, "No transfer to ABOR."};
inline constexpr Fixed transfer_running     {211, "Transfer in progress."};
inline constexpr Fixed bad_restart          {501, "Bad REST command."};
inline constexpr Fixed restart_beyond_end   {554, "Restart position is beyond the end of the file."};

// Files
inline constexpr Fixed no_size              {550, "Could not get file size."};
inline constexpr Fixed no_time              {550, "Could not get file modification time."};
inline constexpr Fixed time_set             {213, "File modification time set."};
inline constexpr Fixed time_not_set         {550, "Could not set file modification time."};
inline constexpr Fixed bad_time             {501, "Not a valid time (YYYYMMDDHHMMSS)."};
inline constexpr Fixed facts_not_set        {550, "Could not set facts."};
inline constexpr Fixed unknown_fact         {504, "Cannot set this fact."};
inline constexpr Fixed no_facts             {550, "Could not get file facts."};
inline constexpr Fixed ready_for_rnto       {350, "Ready for RNTO."};
inline constexpr Fixed rnfr_failed          {550, "RNFR command failed."};
inline constexpr Fixed rnfr_first           {503, "RNFR required first."};
inline constexpr Fixed rename_done          {250, "Rename successful."};
inline constexpr Fixed rename_failed        {550, "Rename failed."};
inline constexpr Fixed delete_done          {250, "Delete operation successful."};
inline constexpr Fixed delete_failed        {550, "Delete operation failed."};
inline constexpr Fixed hash_failed          {550, "Could not hash file."};
inline constexpr Fixed hash_busy            {450, "Hashing takes too long, please try a smaller range."};
inline constexpr Fixed unknown_hash         {504, "Unknown hash algorithm."};
inline constexpr Fixed no_space_information {550, "Could not get available space."};

// SITE
inline constexpr Fixed site_help            {214, "CHMOD UMASK HELP"};
inline constexpr Fixed site_help_no_chmod   {214, "UMASK HELP"};
inline constexpr Fixed chmod_done           {200, "SITE CHMOD command ok."};
inline constexpr Fixed chmod_failed         {550, "SITE CHMOD command failed."};
inline constexpr Fixed chmod_arguments      {500, "SITE CHMOD needs 2 arguments."};
inline constexpr Fixed bad_chmod_mode       {501, "SITE CHMOD needs an octal mode."};
inline constexpr Fixed bad_umask            {501, "SITE UMASK needs an octal number."};
inline constexpr Fixed unknown_site         {500, "Unknown SITE command."};

// TLS and HOST
inline constexpr Fixed auth_proceed         {234, "Proceed with negotiation."};
inline constexpr Fixed unknown_auth         {504, "Unknown AUTH type."};
inline constexpr Fixed pbsz_ok              {200, "PBSZ set to 0."};
inline constexpr Fixed pbsz_needs_tls       {503, "PBSZ needs a secure connection."};
inline constexpr Fixed prot_clear           {200, "PROT now Clear."};
inline constexpr Fixed prot_private         {200, "PROT now Private."};
inline constexpr Fixed prot_unsupported     {536, "PROT not supported."};
inline constexpr Fixed prot_unknown         {504, "PROT not recognized."};
inline constexpr Fixed prot_needs_tls       {503, "PROT needs a secure connection."};
inline constexpr Fixed ccc_done             {200, "The control connection is in clear text now."};
inline constexpr Fixed ccc_denied           {534, "CCC is not allowed here."};
inline constexpr Fixed ccc_needs_tls        {533, "CCC needs a secure connection."};
inline constexpr Fixed data_needs_tls       {522, "Data connections must be encrypted."};
inline constexpr Fixed data_tls_failed      {522, "SSL connection failed"};
inline constexpr Fixed data_tls_no_reuse    {522, "SSL connection failed: session reuse required"};
inline constexpr Fixed host_ok              {220, "Host accepted."};
inline constexpr Fixed host_unknown         {504, "Unknown host."};
inline constexpr Fixed host_too_late        {503, "HOST comes before USER."};

// First lines of long answers
inline constexpr Fixed status_follows       {213, "Status follows:"};
inline constexpr Fixed end_of_status        {213, "End of status"};
// clang-format on

// vsftpd's word for what ends a session before it serves: "500 OOPS: TEXT".
[[nodiscard]] Reply oops(std::string_view text);

[[nodiscard]] Reply current_folder(std::string_view path);    // 257 "DIR" is the current directory
[[nodiscard]] Reply folder_made(std::string_view path);       // 257 "FULLPATH" created
[[nodiscard]] Reply passive(std::string_view text);           // 227, from passive_text()
[[nodiscard]] Reply extended_passive(std::string_view text);  // 229, from extended_passive_text()
[[nodiscard]] Reply opening(bool ascii, std::string_view name,
                            std::uint64_t size);                             // 150 Opening ...
[[nodiscard]] Reply opening_unique(std::string_view name);                   // 150 FILE: NAME
[[nodiscard]] Reply restart_accepted(std::uint64_t position);                // 350
[[nodiscard]] Reply range_accepted(std::uint64_t start, std::uint64_t end);  // 350
[[nodiscard]] Reply size(std::uint64_t bytes);                               // 213 n
[[nodiscard]] Reply modified(std::string_view time);                         // 213 YYYYMMDDHHMMSS
[[nodiscard]] Reply available(std::uint64_t bytes);                          // 213 n
[[nodiscard]] Reply umask_is(unsigned mask);   // 200 Your current UMASK is 077
[[nodiscard]] Reply umask_set(unsigned mask);  // 200 UMASK set to 022
[[nodiscard]] Reply banner(
    std::string_view text);  // 220, or 220- lines and an empty 220 for a file's text

// PROT C, P, S, E and anything else, over TLS.
[[nodiscard]] const Fixed& protection(std::string_view level);

// "213 Modify=20261123225048; NAME" for MFMT and MFF.
[[nodiscard]] Reply facts_set(std::string_view facts, std::string_view name);

// "250-Listing NAME", " FACTS NAME", "250 End" (RFC 3659, 7.2).
[[nodiscard]] Reply facts(std::string_view name, std::string_view fact_line);

// "213 SHA-256 0-49 HEX NAME" for the first fifty bytes.
[[nodiscard]] Reply hash(std::string_view algorithm, std::uint64_t first, std::uint64_t last,
                         std::string_view hex, std::string_view name);

[[nodiscard]] Reply mlst_options(std::string_view fact_names);  // 200 MLST OPTS type;size;
[[nodiscard]] Reply hash_option(std::string_view algorithm);    // 200 SHA-256

// HELP and HELP SITE.
[[nodiscard]] Reply help();
[[nodiscard]] Reply help_site(bool chmod);

// STAT without an argument.
struct Status {
    std::string_view peer;
    std::string_view user;
    bool ascii = true;
    std::uint64_t rate = 0;     // bytes a second, 0: no limit
    std::uint64_t timeout = 0;  // idle_session_timeout, 0: none
    bool control_encrypted = false;
    bool data_encrypted = false;
    std::uint64_t clients = 0;  // 0: not told
};
[[nodiscard]] Reply status(const Status& status);

}  // namespace reply
}  // namespace ftp
