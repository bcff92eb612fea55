module @cross_entropy_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<6x5xbf16>, %arg1: tensor<9x5xbf16>, %arg2: tensor<6xi32>, %arg3: tensor<f32>, %arg4: tensor<f32>) -> (tensor<f32>, tensor<6x5xbf16>, tensor<9x5xbf16>, tensor<f32>) {
    %0 = stablehlo.custom_call @collegium.cross_entropy(%arg0, %arg1, %arg2, %arg3) {api_version = 4 : i32, backend_config = {}} : (tensor<6x5xbf16>, tensor<9x5xbf16>, tensor<6xi32>, tensor<f32>) -> tensor<f32>
    %1 = stablehlo.multiply %arg3, %arg4 : tensor<f32>
    %2 = stablehlo.constant dense<1.0> : tensor<f32>
    %3 = stablehlo.custom_call @collegium.cross_entropy(%arg0, %arg1, %arg2, %2) {api_version = 4 : i32, backend_config = {}} : (tensor<6x5xbf16>, tensor<9x5xbf16>, tensor<6xi32>, tensor<f32>) -> tensor<f32>
    %4 = stablehlo.multiply %3, %arg4 : tensor<f32>
    %5:3 = stablehlo.custom_call @collegium.cross_entropy(%arg0, %arg1, %arg2, %1) {api_version = 4 : i32, backend_config = {}} : (tensor<6x5xbf16>, tensor<9x5xbf16>, tensor<6xi32>, tensor<f32>) -> (tensor<f32>, tensor<6x5xbf16>, tensor<9x5xf32>)
    %6 = stablehlo.convert %5#2 : (tensor<9x5xf32>) -> tensor<9x5xbf16>
    return %0, %5#1, %6, %4 : tensor<f32>, tensor<6x5xbf16>, tensor<9x5xbf16>, tensor<f32>
  }
}
