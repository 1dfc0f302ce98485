using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Motiongen
{
    /// <summary>Reads the server's JSON: Dictionary, List, string, double, bool, null.</summary>
    public sealed class Json
    {
        const int MaxDepth = 16;
        readonly string _text;
        int _at;
        int _depth;

        Json(string text) { _text = text; }

        /// <summary>Return the value of a text. Throws FormatException where it is no JSON.</summary>
        public static object Parse(string text)
        {
            var reader = new Json(text);
            object value = reader.Value();
            reader.Space();
            if (reader._at != text.Length) throw reader.Wrong("the end");
            return value;
        }

        /// <summary>Return a string as JSON has it, with its quotes.</summary>
        public static string Quote(string text)
        {
            var quoted = new StringBuilder("\"");
            foreach (char c in text)
            {
                if (c == '"' || c == '\\') quoted.Append('\\').Append(c);
                else if (c < ' ') quoted.Append("\\u").Append(((int)c).ToString("x4"));
                else quoted.Append(c);
            }
            return quoted.Append('"').ToString();
        }

        /// <summary>Return a number as JSON has it, whatever the machine's language.</summary>
        public static string Number(double value) { return value.ToString("R", CultureInfo.InvariantCulture); }

        object Value()
        {
            Space();
            if (_at >= _text.Length) throw Wrong("a value");
            char c = _text[_at];
            if (c == '{') return Deeper(Object);
            if (c == '[') return Deeper(Array);
            if (c == '"') return String();
            if (Take("true")) return true;
            if (Take("false")) return false;
            if (Take("null")) return null;
            int begin = _at;
            while (_at < _text.Length && "+-0123456789.eE".IndexOf(_text[_at]) >= 0) _at++;
            double number;
            string digits = _text.Substring(begin, _at - begin);
            if (!double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out number))
                throw Wrong("a value");
            return number;
        }

        object Deeper(Func<object> read)
        {
            if (++_depth > MaxDepth) throw Wrong("less nesting");
            object value = read();
            _depth--;
            return value;
        }

        object Object()
        {
            var found = new Dictionary<string, object>();
            _at++;
            Space();
            if (Take("}")) return found;
            while (true)
            {
                Space();
                if (_at >= _text.Length || _text[_at] != '"') throw Wrong("a name");
                string name = String();
                Space();
                if (!Take(":")) throw Wrong(":");
                found[name] = Value();
                Space();
                if (Take("}")) return found;
                if (!Take(",")) throw Wrong(", or }");
            }
        }

        object Array()
        {
            var found = new List<object>();
            _at++;
            Space();
            if (Take("]")) return found;
            while (true)
            {
                found.Add(Value());
                Space();
                if (Take("]")) return found;
                if (!Take(",")) throw Wrong(", or ]");
            }
        }

        string String()
        {
            var text = new StringBuilder();
            for (_at++; _at < _text.Length; _at++)
            {
                char c = _text[_at];
                if (c == '"') { _at++; return text.ToString(); }
                if (c != '\\') { text.Append(c); continue; }
                if (++_at >= _text.Length) break;
                c = _text[_at];
                int escape = "\"\\/bfnrt".IndexOf(c);
                if (escape >= 0) { text.Append("\"\\/\b\f\n\r\t"[escape]); continue; }
                int code;
                if (c != 'u' || _at + 4 >= _text.Length || !int.TryParse(_text.Substring(_at + 1, 4),
                        NumberStyles.HexNumber, CultureInfo.InvariantCulture, out code)) throw Wrong("an escape");
                text.Append((char)code);
                _at += 4;
            }
            throw Wrong("a quote");
        }

        void Space()
        {
            while (_at < _text.Length && " \t\r\n".IndexOf(_text[_at]) >= 0) _at++;
        }

        bool Take(string word)
        {
            if (string.CompareOrdinal(_text, _at, word, 0, word.Length) != 0) return false;
            _at += word.Length;
            return true;
        }

        FormatException Wrong(string wanted)
        {
            return new FormatException("json: expected " + wanted + " at character " + _at);
        }
    }
}
