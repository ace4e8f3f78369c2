// SPDX-License-Identifier: MIT
// The command line, or the name of the process that this exec is to be; nothing else.
int main() { return 2; }
