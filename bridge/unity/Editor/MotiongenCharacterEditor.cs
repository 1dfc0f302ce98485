using UnityEditor;
using UnityEngine;

namespace Motiongen
{
    /// <summary>The inspector: while the scene plays, a sentence and its buttons.</summary>
    [CustomEditor(typeof(MotiongenCharacter))]
    public sealed class MotiongenCharacterEditor : Editor
    {
        string _text = "a person waves";

        public override void OnInspectorGUI()
        {
            DrawDefaultInspector();
            var character = (MotiongenCharacter)target;
            if (!Application.isPlaying)
            {
                EditorGUILayout.HelpBox("Press Play to connect.", MessageType.Info);
                return;
            }
            EditorGUILayout.LabelField(character.Status);
            _text = EditorGUILayout.TextField(_text);
            using (new EditorGUILayout.HorizontalScope())
            {
                if (GUILayout.Button("Do it now")) character.Prompt(_text);
                if (GUILayout.Button("Then")) character.Prompt(_text, true);
                if (GUILayout.Button("Hold")) character.Hold();
            }
            Repaint();
        }
    }
}
