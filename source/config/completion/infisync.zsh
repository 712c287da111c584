#compdef infisync
# Completion of infisync for zsh. Load it with: source <(infisync completion zsh)
# or put it into a folder of $fpath as _infisync.

_infisync() {
  local curcontext=$curcontext state state_descr line ret=1
  local -a names
  typeset -A opt_args
  _arguments -C '(- *)'{-h,--help}'[show help]' '1:command:->command' '*::argument:->argument' && ret=0
  case $state in
  command)
    names=(
@COMMANDS@
    )
    _describe -t commands command names && ret=0
    ;;
  argument)
    curcontext=${curcontext%:*:*}:infisync-$words[1]:
    case $words[1] in
@ARGUMENTS@
    vault)
      _arguments -C '1:command:->command' '*::argument:->argument' && ret=0
      case $state in
      command)
        names=(
@VAULTCOMMANDS@
        )
        _describe -t commands 'vault command' names && ret=0
        ;;
      argument)
        case $words[1] in
@VAULTARGUMENTS@
        esac
        ;;
      esac
      ;;
    esac
    ;;
  esac
  return ret
}

if [[ $funcstack[1] == _infisync ]]; then
  _infisync "$@"
else
  compdef _infisync infisync
fi
