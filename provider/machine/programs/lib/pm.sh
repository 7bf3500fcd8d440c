# The package manager of this host, one of two behind the same functions. A FILE has one package a line.
# shellcheck shell=sh
#
#   pm_architecture               the host's, as Debian names it
#   pm_have FILE                  `NAME VERSION` of those that are installed
#   pm_versions FILE              `NAME VERSION`: upstream version that is installed, else the one that it would install; asks no network
#   pm_simulate WORD...           `NAME OLD|- NEW|-` for everything that installing these changes; 1: it cannot tell yet
#   pm_owner PATH                 the package that brings that unit file, or nothing
#   pm_repository_state NAME URIS SUITES COMPONENTS, pm_add_repository NAME URIS SUITES COMPONENTS FINGERPRINT
#   pm_lists_fresh, pm_update     are the lists of what there is new enough; fetch them
#   pm_install WORD...            installs, its words in $DIR/output; a WORD is NAME or NAME=VERSION. pm_mend: what a second try needs
#   pm_new_packages FILE          the packages that its words in FILE call new
#   pm_list_failures              its words on standard input; host and reason of each archive that could not be asked
#   pm_hold_services, pm_free_services   no package starts its services meanwhile
#   pm_words_install, pm_words_remove PACKAGE...   the command that a person types

if command -v dpkg-query >/dev/null; then
  # shellcheck disable=SC2034 # Others name it.
  PM=apt
  . "$DIR/lib/pm-apt.sh"
elif command -v pacman >/dev/null; then
  # shellcheck disable=SC2034
  PM=pacman
  . "$DIR/lib/pm-pacman.sh"
else
  refuse packages "this host has neither apt nor pacman"
fi
