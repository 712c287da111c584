# Completion of infisync for bash. Load it with: source <(infisync completion bash)

_infisync() {
  local cur=${COMP_WORDS[COMP_CWORD]} cmd= flag= child= i word kind= words= IFS=$'\n'
  COMPREPLY=()
  # bash takes "--flag=value" for three words.
  if [[ $cur == '=' ]]; then
    flag=${COMP_WORDS[COMP_CWORD - 1]} cur=
  elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == '=' ]]; then
    flag=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      --) [[ $cmd != run ]] || child=$((i + 1)); break ;;
      =) ((i++)) ;;
      -*)
        if [[ ' @VALUED@ ' == *" $word "* && ${COMP_WORDS[i + 1]} != '=' ]]; then
          ((++i < COMP_CWORD)) || flag=$word
        fi
        ;;
      *)
        case $cmd in
          '') cmd=$word ;;
          vault) cmd="vault $word" ;;
          run) child=$i; break ;;
        esac
        ;;
    esac
  done
  if [[ -z $child && -z $flag && $cmd == run && $cur != -* ]]; then
    child=$COMP_CWORD
  fi
  if [[ -n $child ]]; then
    if declare -F _command_offset >/dev/null; then
      _command_offset "$child"
    elif ((COMP_CWORD == child)); then
      COMPREPLY=($(compgen -c -- "$cur"))
    else
      compopt -o filenames 2>/dev/null
      COMPREPLY=($(compgen -f -- "$cur"))
    fi
    return
  fi
  if [[ -n $flag ]]; then
    case $flag in
@VALUES@
      --format)
        case $cmd in
@FORMATS@
        esac
        ;;
    esac
  elif [[ $cur == -* ]]; then
    case $cmd in
@FLAGS@
    esac
  else
    case $cmd in
@NAMES@
    esac
  fi
  if [[ -n $kind ]]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen "$kind" -- "$cur"))
  else
    COMPREPLY=($(IFS=' ' compgen -W "$words" -- "$cur"))
  fi
}
complete -F _infisync infisync
