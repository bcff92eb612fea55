module @paged_step_int8_values attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x60xf32>, %arg1: tensor<5x3xf32>, %arg2: tensor<5x3xf32>, %arg3: tensor<2x3xi32>, %arg4: tensor<5xi32>, %arg5: tensor<5xi32>, %arg6: tensor<5xi32>, %arg7: tensor<6xf32>, %arg8: tensor<6xf32>, %arg9: tensor<6x2x6x16xf32>, %arg10: tensor<6x2x16x6xf32>) -> (tensor<6x2x16x6xf32>) {
    %0 = stablehlo.constant dense<127.0> : tensor<f32>
    %1 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<f32>) -> tensor<6x2x16xf32>
    %2 = stablehlo.constant dense<1.0e-30> : tensor<f32>
    %3 = stablehlo.broadcast_in_dim %2, dims = [] : (tensor<f32>) -> tensor<6x2x16xf32>
    %4 = stablehlo.constant dense<1.0> : tensor<f32>
    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<6x2x16xf32>
    %6 = stablehlo.constant dense<0.5> : tensor<f32>
    %7 = stablehlo.broadcast_in_dim %6, dims = [] : (tensor<f32>) -> tensor<6x2x16x6xf32>
    %8 = stablehlo.abs %arg10 : tensor<6x2x16x6xf32>
    %9 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %10 = stablehlo.reduce(%8 init: %9) applies stablehlo.maximum across dimensions = [3] : (tensor<6x2x16x6xf32>, tensor<f32>) -> tensor<6x2x16xf32>
    %11 = stablehlo.divide %10, %1 : tensor<6x2x16xf32>
    %12 = stablehlo.maximum %11, %3 : tensor<6x2x16xf32>
    %13 = stablehlo.divide %5, %12 : tensor<6x2x16xf32>
    %14 = stablehlo.broadcast_in_dim %13, dims = [0, 1, 2] : (tensor<6x2x16xf32>) -> tensor<6x2x16x6xf32>
    %15 = stablehlo.multiply %arg10, %14 : tensor<6x2x16x6xf32>
    %16 = stablehlo.add %15, %7 : tensor<6x2x16x6xf32>
    %17 = stablehlo.floor %16 : tensor<6x2x16x6xf32>
    %18 = stablehlo.convert %17 : (tensor<6x2x16x6xf32>) -> tensor<6x2x16x6xi8>
    %19 = stablehlo.slice %arg0 [0:5, 48:60] : (tensor<5x60xf32>) -> tensor<5x12xf32>
    %20 = stablehlo.reshape %19 : (tensor<5x12xf32>) -> tensor<5x2x6xf32>
    %21 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %22 = stablehlo.broadcast_in_dim %2, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %23 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %24 = stablehlo.broadcast_in_dim %6, dims = [] : (tensor<f32>) -> tensor<5x2x6xf32>
    %25 = stablehlo.abs %20 : tensor<5x2x6xf32>
    %26 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %27 = stablehlo.reduce(%25 init: %26) applies stablehlo.maximum across dimensions = [2] : (tensor<5x2x6xf32>, tensor<f32>) -> tensor<5x2xf32>
    %28 = stablehlo.divide %27, %21 : tensor<5x2xf32>
    %29 = stablehlo.maximum %28, %22 : tensor<5x2xf32>
    %30 = stablehlo.divide %23, %29 : tensor<5x2xf32>
    %31 = stablehlo.broadcast_in_dim %30, dims = [0, 1] : (tensor<5x2xf32>) -> tensor<5x2x6xf32>
    %32 = stablehlo.multiply %20, %31 : tensor<5x2x6xf32>
    %33 = stablehlo.add %32, %24 : tensor<5x2x6xf32>
    %34 = stablehlo.floor %33 : tensor<5x2x6xf32>
    %35 = stablehlo.convert %34 : (tensor<5x2x6xf32>) -> tensor<5x2x6xi8>
    %36 = stablehlo.iota dim = 1 : tensor<5x96xi32>
    %37 = stablehlo.broadcast_in_dim %arg6, dims = [0] : (tensor<5xi32>) -> tensor<5x96xi32>
    %38 = stablehlo.compare EQ, %37, %36, SIGNED : (tensor<5x96xi32>, tensor<5x96xi32>) -> tensor<5x96xi1>
    %39 = stablehlo.convert %38 : (tensor<5x96xi1>) -> tensor<5x96xf32>
    %40 = stablehlo.constant dense<0.0> : tensor<f32>
    %41 = stablehlo.reduce(%39 init: %40) applies stablehlo.add across dimensions = [0] : (tensor<5x96xf32>, tensor<f32>) -> tensor<96xf32>
    %42 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<96xf32>
    %43 = stablehlo.compare GE, %41, %42, FLOAT : (tensor<96xf32>, tensor<96xf32>) -> tensor<96xi1>
    %44 = stablehlo.broadcast_in_dim %43, dims = [0] : (tensor<96xi1>) -> tensor<96x2x6xi1>
    %45 = stablehlo.transpose %18, dims = [0, 2, 1, 3] : (tensor<6x2x16x6xi8>) -> tensor<6x16x2x6xi8>
    %46 = stablehlo.reshape %45 : (tensor<6x16x2x6xi8>) -> tensor<96x2x6xi8>
    %47 = stablehlo.convert %35 : (tensor<5x2x6xi8>) -> tensor<5x2x6xf32>
    %48 = stablehlo.dot_general %39, %47, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<5x96xf32>, tensor<5x2x6xf32>) -> tensor<96x2x6xf32>
    %49 = stablehlo.convert %48 : (tensor<96x2x6xf32>) -> tensor<96x2x6xi8>
    %50 = stablehlo.select %44, %49, %46 : tensor<96x2x6xi1>, tensor<96x2x6xi8>
    %51 = stablehlo.reshape %50 : (tensor<96x2x6xi8>) -> tensor<6x16x2x6xi8>
    %52 = stablehlo.transpose %51, dims = [0, 2, 1, 3] : (tensor<6x16x2x6xi8>) -> tensor<6x2x16x6xi8>
    %53 = stablehlo.convert %52 : (tensor<6x2x16x6xi8>) -> tensor<6x2x16x6xf32>
    return %53 : tensor<6x2x16x6xf32>
  }
}
