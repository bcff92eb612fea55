module @swiglu_down attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<6x19xf32>, %arg1: tensor<6x19xf32>, %arg2: tensor<4x19xf32>, %arg3: tensor<6x4xf32>) -> (tensor<6x4xf32>, tensor<6x19xf32>, tensor<6x19xf32>, tensor<4x19xf32>) {
    %0 = stablehlo.custom_call @collegium.chain(%arg0, %arg1) {api_version = 4 : i32, backend_config = {kernels = "swiglu", names = "", steps = array<i64: 0, 0, 2, 0, 0, 2, 6, 19, 1, 0, 2, 6, 19, 1>}} : (tensor<6x19xf32>, tensor<6x19xf32>) -> tensor<6x19xf32>
    %1 = stablehlo.dot_general %0#0, %arg2, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<6x19xf32>, tensor<4x19xf32>) -> tensor<6x4xf32>
    %2 = stablehlo.dot_general %arg3, %arg2, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<6x4xf32>, tensor<4x19xf32>) -> tensor<6x19xf32>
    %3:3 = stablehlo.custom_call @collegium.swiglu_gradient(%2, %arg0, %arg1) {api_version = 4 : i32, backend_config = {}, output_operand_aliases = [#stablehlo.output_operand_alias<output_tuple_indices = [0], operand_index = 0, operand_tuple_indices = []>]} : (tensor<6x19xf32>, tensor<6x19xf32>, tensor<6x19xf32>) -> (tensor<6x19xf32>, tensor<6x19xf32>, tensor<6x19xf32>)
    %4 = stablehlo.dot_general %arg3, %3#0, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<6x4xf32>, tensor<6x19xf32>) -> tensor<4x19xf32>
    return %1, %3#1, %3#2, %4 : tensor<6x4xf32>, tensor<6x19xf32>, tensor<6x19xf32>, tensor<4x19xf32>
  }
}
