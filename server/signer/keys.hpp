// SPDX-License-Identifier: MIT
// The private keys, read from the administrator's files and used for nothing but TLS handshakes;
// the signer alone has them.
#pragma once

#include "base/result.hpp"
#include "config/options.hpp"
#include "ipc/certificates.hpp"
#include "tls/library.hpp"
#include "tls/to_be_signed.hpp"

#include <map>
#include <string>
#include <vector>

namespace signer {

// One certificate with its key; the key may be in the certificate's file.
struct Source {
    std::string kind;  // in messages: "RSA", "DSA", as vsftpd says it
    std::string certificate_file;
    std::string key_file;  // empty: in the same file
};

struct Sources {
    std::vector<Source> fallback;  // for clients that ask for no name; all must be good
    std::string directory;  // of HOST.pem files, certificates for clients that ask for HOST or for
                            // a name that is in the certificate; empty: none
    bool legacy = false;    // TLS 1.0 or 1.1 is on: they sign SHA-1
};

[[nodiscard]] Sources sources_of(const config::Options& options);

class Keys {
  public:
    // An error names the file, and both files when a key does not fit its certificate. What is
    // wrong with a host's file costs that host its certificate and nothing else: it is said in the
    // warnings.
    [[nodiscard]] static base::Result<Keys> load(const Sources& sources,
                                                 std::vector<std::string>& warnings);

    // number is ENOKEY for a key that is not here, else EINVAL: the fields make nothing that a TLS
    // server signs with this key.
    [[nodiscard]] base::Result<tls::Bytes> sign(const tls::ToBeSigned& what) const;

    // Without keys, for all the others.
    [[nodiscard]] const std::vector<ipc::Certificate>& certificates() const {
        return certificates_;
    }

  private:
    Keys() = default;
    base::Result<void> add(const Source& source, bool by_name_only, std::string name);
    void add_directory(const std::string& directory, std::vector<std::string>& warnings);

    std::map<tls::KeyId, tls::Key> keys_;
    std::vector<ipc::Certificate> certificates_;
    bool legacy_ = false;
};

}  // namespace signer
